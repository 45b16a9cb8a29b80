"""What a person sees of a run: steps with their time, states and training jobs as they happen."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from demo.predictions import Prediction

SHOWN_PREDICTIONS = 15
LOG_WIDTH = 160


class Screen:
    """Prints to a terminal with bars and colours, to a log with plain lines."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=LOG_WIDTH)
        self._step = ""

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
        self.console.print(f"  {text}")

    def predictions(self, predictions: list[Prediction]) -> None:
        """The first answers as a table."""
        table = Table(title=f"{len(predictions)} bins that the model never saw")
        for name in ("image", "true", "counted", "confidence", "ms"):
            table.add_column(name, justify="left" if name == "image" else "right")
        for p in predictions[:SHOWN_PREDICTIONS]:
            right = "green" if p.count == p.true else "red"
            table.add_row(
                p.id, str(p.true), f"[{right}]{p.count}[/{right}]", f"{p.confidence:.2f}", f"{p.ms:.0f}"
            )
        self.console.print(table)
        if len(predictions) > SHOWN_PREDICTIONS:
            self.line(f"… and {len(predictions) - SHOWN_PREDICTIONS} more in report.json")
