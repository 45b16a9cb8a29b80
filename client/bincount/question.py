"""One image to be counted, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

from bincount.answer import Count
from bincount.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`image` is a file or its bytes; `expected` the number of objects that should be there, if known."""

    id: str
    image: Path | bytes
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Either an answer or why there is none; `seconds` is the caller's whole wait."""

    question: Question
    answer: Count | None
    refusal: Refused | None
    seconds: float
