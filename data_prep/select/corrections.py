"""Corrections: what a person decided about labels, row by row, and what becomes of the images.

A file of JSON lines, as the page of `bincount audit` gives it (docs/schemas/correction.schema.json).
"""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from data_prep.errors import BadRequest
from data_prep.faults import fault_words
from data_prep.select.file_list import ID, OWN_ID
from data_prep.select.labels import MOST, parse_json
from data_prep.storage.lines import Line

EXCLUDED = "excluded"
"""Why an image is rejected that a person excluded."""
Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


class Correction(BaseModel):
    """One row: what person `who` said at `when` of an image that was labelled `old_count`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=rf"^({ID}|{OWN_ID})$")]
    name: str | None = None
    action: Literal["keep", "correct", "exclude"]
    old_count: Count
    new_count: Count | None = None
    who: Annotated[str, Field(min_length=1, max_length=200)]
    when: Annotated[str, Field(max_length=40), AfterValidator(_moment)]

    @model_validator(mode="after")
    def _has_a_count_where_one_belongs(self) -> Self:
        if self.action == "correct" and self.new_count is None:
            raise ValueError("correct wants new_count, the number of objects that the image shows")
        if self.action != "correct" and self.new_count is not None:
            raise ValueError(f"{self.action} takes no new_count; take it out, or write correct")
        if self.new_count == self.old_count:
            raise ValueError("new_count is old_count; write keep, without new_count")
        return self


_REMEDIES = {
    "id": "give the image's id as the dataset's manifest has it, in quotes",
    "action": "give keep, correct or exclude",
    "old_count": "give the label that was corrected, a whole number",
    "new_count": f"give a whole number from 0 to {MOST}",
    "who": "give the name of the person who looked",
    "when": "give a time such as 2026-01-31T14:05:00Z",
}
_FORM = '{"id": "00900", "action": "correct", "old_count": 3, "new_count": 2, "who": "…", "when": "…"}'


def parse_corrections(content: bytes, *, address: str) -> tuple[list[Line], list[str]]:
    """The rows, each with `line`, its number in the file, and what is wrong with rows, with the remedy.

    Wrong is a row of another form, or one that names an image again; blank lines are passed over. Raises
    BadRequest for a file that is not UTF-8 or holds no row.
    """
    rows: list[Line] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, text in _lines(content, address=address):
        try:
            row = Correction.model_validate(_object(text))
        except ValidationError as error:
            words = (
                fault_words(dict(fault), remedies=_REMEDIES, whole="row")
                for fault in error.errors(include_url=False)
            )
            faults.append(f"line {number}: {', '.join(words)}")
            continue
        except ValueError as error:
            faults.append(f"line {number}: {error}; a row is {_FORM}")
            continue
        first = seen.setdefault(row.id, number)
        if first != number:
            faults.append(f"line {number}: {row.id} is in line {first} too; keep one of them")
        rows.append(row.model_dump(exclude_none=True) | {"line": number})
    if not rows and not faults:
        raise BadRequest(f"corrections {address} hold no row; a row is {_FORM}, or leave corrections out")
    return rows, faults


def _lines(content: bytes, *, address: str) -> list[tuple[int, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"corrections {address} are not UTF-8 ({error}); save them as UTF-8") from error
    # Not splitlines: JSON text may hold other line separators.
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _object(text: str) -> dict[str, Any]:
    value = parse_json(text.encode(), join=_once)
    if not isinstance(value, dict):
        raise ValueError(f"it holds a {type(value).__name__}")
    return cast("dict[str, Any]", value)


def _once(name: str, first: Any, second: Any) -> Any:
    raise ValueError(f"{name[:20]!r} is there twice")


class Corrections:
    """The rows of a run, followed image by image; `faults` are known once every image was followed."""

    def __init__(self, rows: list[Line]) -> None:
        self._rows = {row["id"]: row for row in rows}
        self._seen: set[str] = set()
        self._faults: dict[int, str] = {}

    @property
    def actions(self) -> dict[str, int]:
        """Rows by action, as dataset.json has them."""
        counts = Counter(row["action"] for row in self._rows.values())
        return {name: counts[action] for name, action in _RECORDED.items()}

    def follow(self, line: Line) -> Line:
        """What becomes of a line {id, count, …} of the index: it stays, gets another `count` and its
        `old_count`, or is a rejection {id, reason, detail}."""
        row = self._rows.get(line["id"])
        if row is None:
            return line
        self._seen.add(row["id"])
        if line["count"] != row["old_count"]:
            self._faults[row["line"]] = (
                f"line {row['line']}: {row['id']} is labelled {line['count']}, not {row['old_count']} "
                "(old_count): the label changed since; look at the image again"
            )
        if row["action"] == "exclude":
            named = {"name": line["name"]} if "name" in line else {}
            detail = f"by {row['who']} at {row['when']}; its label was {line['count']}"
            return {"id": line["id"], **named, "reason": EXCLUDED, "detail": detail[:200]}
        if row["action"] == "correct":
            return line | {"count": row["new_count"], "old_count": line["count"]}
        return line

    def faults(self, rejected: list[Line]) -> list[str]:
        """Every row that fits no image, or another label, in the file's order; `rejected` are the run's."""
        reasons = {line["id"]: line["reason"] for line in rejected}
        faults = dict(self._faults)
        for identity, row in self._rows.items():
            if identity in self._seen:
                continue
            why = f" ({reasons[identity]})" if identity in reasons else ""
            faults[row["line"]] = (
                f"line {row['line']}: {identity} is not among the images that the request reads{why}; "
                "correct the id, or take the line out"
            )
        return [faults[number] for number in sorted(faults)]


_RECORDED = {"kept": "keep", "corrected": "correct", "excluded": "exclude"}
