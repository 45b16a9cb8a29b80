"""`bincount drift`: whether answers and images still are like those on which the model was tested."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bincount.cli.errors import ERROR, OK, UNCERTAIN
from bincount.cli.shared import JsonOption, ProfileOption, RegionOption, StageOption, screen
from bincount.drift.nights import NightReport, fetch_page, last_nights
from bincount.stage.stage import Stage


def drift(
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="So many days before today.")] = 7,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="For the newest night's page.")] = Path(
        "drift"
    ),
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Show what has changed since the model was tested: light, lens, camera, the mix of counts.

    Exit status: 0 nothing has changed, 1 no day has a report, 4 the newest report found a change.
    """
    target = Stage(stage, region=region, profile=profile)
    nights = last_nights(target, days=days)
    reported = [night for night in nights if night.report is not None]
    if as_json:
        for night in reported:
            print(json.dumps(night.report))
    else:
        _print(nights)
    if not reported:
        screen().print(
            "no day has a report: is drift.enabled set, and was it deployed before those days ended? "
            "(docs/drift.md)",
            markup=False, soft_wrap=True,
        )  # fmt: skip
        raise typer.Exit(ERROR)
    newest = reported[0]
    if not as_json:
        screen().print(f"page: {fetch_page(target, newest, folder=out)}", markup=False, soft_wrap=True)
    raise typer.Exit(UNCERTAIN if newest.drifted else OK)


def _print(nights: list[NightReport]) -> None:
    table = Table()
    for heading in ("day", "", "answers", "what has changed", "what to do"):
        table.add_column(heading, overflow="fold")
    for night in nights:
        style = "red" if night.drifted else ""
        report = night.report
        answers = f"{report['answers']:,}" if report else ""
        changed = [row for row in report["measures"] if row["drifted"]] if report else []
        if not changed:
            words = report["summary"] if report and not report["tested"] else ""
            table.add_row(f"{night.day}", Text(night.state), answers, Text(words), "")
        for number, row in enumerate(changed):
            first = (f"{night.day}", Text(night.state, style=style), answers) if not number else ("", "", "")
            table.add_row(*first, Text(f"{row['what']}: {row['change']}"), Text(row["do"]))
    screen().print(table)
