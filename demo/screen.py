"""What a person sees of a run: steps with their time, what happens in them, the first counts as a table."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.table import Table

from bincount import Outcome
from bincount.cli.shared import screen

SHOWN_COUNTS = 15


class Screen:
    """Prints to a terminal with bars and colours, to a log with plain lines."""

    def __init__(self) -> None:
        self.console = screen()

    @contextmanager
    def step(self, title: str) -> Generator[None]:
        """Announce a step; at its end say how long it took."""
        self.console.print(f"[bold]{title}[/bold]")
        started = time.monotonic()
        with self.console.status("") as status:
            self._status = status
            yield
        self.console.print(f"  [green]done[/green] in {time.monotonic() - started:.0f} s")

    def now(self, text: str) -> None:
        """What is being done at this moment (on a terminal only, over the last such text)."""
        self._status.update(f"[dim]{text}[/dim]")

    def line(self, text: str) -> None:
        """A line that stays."""
        self.console.print(f"  {text}", markup=False, soft_wrap=True)

    def counts(self, outcomes: list[Outcome]) -> None:
        """The first answers as a table; `expected` of a question is the true count."""
        table = Table(title=f"{len(outcomes)} bins that the model never saw")
        for name in ("image", "true", "counted", "confidence", "ms"):
            table.add_column(name, justify="left" if name == "image" else "right")
        for outcome in outcomes[:SHOWN_COUNTS]:
            question, answer = outcome.question, outcome.answer
            assert answer is not None
            style = "green" if answer.count == question.expected else "red"
            table.add_row(
                question.id,
                str(question.expected),
                f"[{style}]{answer.count}[/{style}]",
                f"{answer.confidence:.2f}",
                f"{1000 * outcome.seconds:.0f}",
            )
        self.console.print(table)
        if len(outcomes) > SHOWN_COUNTS:
            self.line(f"… and {len(outcomes) - SHOWN_COUNTS} more in report.json")
