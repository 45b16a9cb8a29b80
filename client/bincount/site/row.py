"""One bin of a site: what was counted, what was expected, or why there is no count."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from bincount.counting.answer import Count, Verdict

COLUMNS = (
    "id",
    "count",
    "at_least",
    "confidence",
    "low",
    "high",
    "review",
    "expected",
    "verdict",
    "probability",
    "error",
    "message",
)
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+][0-9]+([.,][0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`image` is the path or key of the row's image; `error` is the error's code, `message` its words.

    `probability` is the one of the expected number (0 where the model has no class for it, None where none
    is expected). A row has either a count or an error; the message of a count says why its verdict is
    uncertain, where the server does. `others` are the cells of the manifest's other columns.
    """

    id: str
    image: str | None
    count: int | None = None
    at_least: bool = False
    confidence: float | None = None
    low: int | None = None
    high: int | None = None
    review: bool = False
    expected: int | None = None
    verdict: Verdict | None = None
    probability: float | None = None
    error: str | None = None
    message: str | None = None
    others: tuple[str, ...] = ()

    @classmethod
    def of_answer(cls, answer: Count, *, id: str, image: str | None) -> Self:
        """The row of an answer; its verdict is the server's."""
        found = answer.verification
        return cls(
            id=id,
            image=image,
            count=answer.count,
            at_least=answer.at_least,
            confidence=answer.confidence,
            low=answer.interval[0],
            high=answer.interval[1],
            review=answer.review,
            expected=None if found is None else found.expected,
            verdict=None if found is None else found.verdict,
            probability=None if found is None else found.probability,
            message=None if found is None else found.reason,
        )

    @classmethod
    def of_error(cls, code: str, message: str, *, id: str, image: str | None, expected: int | None) -> Self:
        """The row of a bin without a count."""
        return cls(id=id, image=image, expected=expected, error=code, message=message)

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        known = dict(members)
        others = tuple(map(str, known.pop("others", ())))
        return cls(**known, others=others)

    def to_json(self) -> dict[str, Any]:
        """All members, for the files between the recount's steps."""
        return asdict(self)

    def cells(self) -> list[str]:
        """The CSV's cells, in the order of COLUMNS, and then the manifest's other ones."""
        return [_cell(getattr(self, name)) for name in COLUMNS] + [_carried(value) for value in self.others]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4f}"
    if not isinstance(value, str):
        return str(value)
    text = " ".join(value.split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def _carried(text: str) -> str:
    """A cell of the manifest as it was; -12.50 is a number, and no formula."""
    return text if _NUMBER.fullmatch(text) else _cell(text)
