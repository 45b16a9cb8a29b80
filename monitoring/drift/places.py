"""Where drift's files lie in the stage's bucket (docs/drift.md)."""

from dataclasses import dataclass
from datetime import date, timedelta

BASELINES = "drift/baselines/"
NIGHTS = "drift/nights/"
ABOUT = "about.json"
OBSERVATIONS = "observations.jsonl.gz"


def baseline_folder(model: str) -> str:
    """Where the gate wrote what the model's test images look like to it."""
    return f"{BASELINES}{model}/"


@dataclass(frozen=True, slots=True)
class Night:
    """The files about one day of answers, UTC."""

    day: date

    @property
    def folder(self) -> str:
        """All of them lie below it."""
        return f"{NIGHTS}{self.day:%Y/%m/%d}/"

    @property
    def answers(self) -> str:
        """The day's sample of answers."""
        return f"{self.folder}answers.json"

    @property
    def manifest(self) -> str:
        """The images that the job reads."""
        return f"{self.folder}images.manifest"

    @property
    def observed(self) -> str:
        """The folder into which the job writes."""
        return f"{self.folder}observed/"

    @property
    def report(self) -> str:
        """What was found; written last."""
        return f"{self.folder}drift.json"

    @property
    def page(self) -> str:
        """The same for people."""
        return f"{self.folder}drift.html"


def night_of(day: str | None, *, started: str) -> Night:
    """The night of `day` (yyyy-mm-dd), or of the day before the moment `started` (ISO 8601, UTC).

    Raises ValueError where `day` is none.
    """
    if day is None:
        return Night(date.fromisoformat(started[:10]) - timedelta(days=1))
    try:
        return Night(date.fromisoformat(day))
    except ValueError as error:
        raise ValueError(f'day: expected a day as "2026-11-28", got {day!r}') from error
