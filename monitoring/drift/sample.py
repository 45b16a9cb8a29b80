"""A day's sample of answers: by the request id, so that each look draws the same one."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from monitoring.captures.captured import Captured, place_of
from monitoring.captures.hours import HOUR, captured_of_file, files_of_hour
from monitoring.drift.places import Night


@dataclass(frozen=True, slots=True, order=True)
class Sampled:
    """One answer; `place` from 0 to 1 is where its id's hash lies, and a share is what lies below it."""

    place: float
    request_id: str
    count: float = field(compare=False)
    confidence: float = field(compare=False)
    review: bool = field(compare=False)


@dataclass(slots=True)
class DayOfAnswers:
    """`answered`: answers by model. `sampled`: at most `most` of each, those with the lowest places."""

    most: int
    answered: Counter[str] = field(default_factory=Counter[str])
    unreadable: int = 0
    _kept: dict[str, dict[str, Sampled]] = field(default_factory=dict[str, dict[str, Sampled]])

    def add(self, captured: Captured | None) -> None:
        """One line of the day; None is one that could not be read."""
        if captured is None:
            self.unreadable += 1
            return
        found = _sampled(captured)
        if found is None:
            return
        model, answer = found
        self.answered[model] += 1
        kept = self._kept.setdefault(model, {})
        kept[answer.request_id] = answer
        if len(kept) > 2 * self.most:
            self._kept[model] = {each.request_id: each for each in sorted(kept.values())[: self.most]}

    @property
    def model(self) -> str | None:
        """The one that gave most answers; None where nobody asked."""
        return max(self.answered, key=lambda model: (self.answered[model], model), default=None)

    @property
    def sampled(self) -> list[Sampled]:
        """Of that model."""
        return sorted(self._kept.get(self.model or "", {}).values())[: self.most]


def read_day(lines: Iterable[Captured | None], *, most: int) -> DayOfAnswers:
    """All lines of a day."""
    day = DayOfAnswers(most)
    for each in lines:
        day.add(each)
    return day


def lines_of_day(s3: Any, *, bucket: str, folder: str, night: Night) -> Iterator[Captured | None]:
    """Every captured line of the day; `folder` is `capture/<endpoint>/<variant>/`."""
    first = datetime(night.day.year, night.day.month, night.day.day, tzinfo=UTC)
    for number in range(24):
        for file in files_of_hour(s3, bucket=bucket, folder=folder, hour=first + number * HOUR):
            yield from captured_of_file(s3, bucket=bucket, key=file["Key"])


def _sampled(captured: Captured) -> tuple[str, Sampled] | None:
    """None for what is no answer of ours: an error, a bare number, another program's line."""
    answer = captured.answer or {}
    model = answer.get("model")
    count, confidence = _number(answer.get("count")), _number(answer.get("confidence"))
    if not isinstance(model, str) or count is None or confidence is None:
        return None
    return model, Sampled(
        place=place_of(captured.request_id),
        request_id=captured.request_id,
        count=count,
        confidence=confidence,
        review=bool(answer["review"]),
    )


def _number(value: Any) -> float | None:
    """A finite number of JSON's; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of 400 digits
        return None
