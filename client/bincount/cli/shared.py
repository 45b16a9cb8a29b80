"""What the commands share: options, and where people read (tables on a terminal, plain lines in a log)."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn

StageOption = Annotated[
    str,
    typer.Option("--stage", envvar="BINCOUNT_STAGE", help="A stage of cdk.json that is deployed."),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", help="AWS region (else AWS_REGION, then the profile's).")
]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="AWS profile (else AWS_PROFILE).")]
ApiOption = Annotated[
    str | None,
    typer.Option("--api-url", envvar="BINCOUNT_API_URL", help="Ask the HTTPS API there, not the endpoint."),
]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", min=1, max=256, help="Images that are asked at a time.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")]


_LOG_WIDTH = 160


def screen() -> Console:
    """Standard output."""
    plain = None if sys.stdout.isatty() else _LOG_WIDTH
    return Console(highlight=False, width=plain)


def progress_screen() -> Console:
    """Standard error, so that progress never mixes with results."""
    plain = None if sys.stderr.isatty() else _LOG_WIDTH
    return Console(stderr=True, highlight=False, width=plain)


def progress_bars(
    *ends: ProgressColumn, words: str = "{task.description}", console: Console | None = None
) -> Progress:
    """Words, a bar, how many of all, `ends`; on a terminal alone, standard error's or that of `console`."""
    shown = console or progress_screen()
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), *ends)
    return Progress(*columns, console=shown, disable=not shown.is_terminal)
