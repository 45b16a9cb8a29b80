"""A label as the client holds it: what is sent, what comes back, and every fault before it is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bincount_core.limits import MAX_EXPECTED

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,64}")
MOST_NOTE = 500
MOST_BY = 100


def is_request_id(text: str) -> bool:
    """Whether an answer can have it; one of dots and slashes alone would be another place in a bucket."""
    return _REQUEST_ID.fullmatch(text) is not None and any(c.isalnum() for c in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """So many objects were in the image of the answer `request_id`."""

    request_id: str
    count: int
    note: str | None = None
    by: str | None = None

    def faults(self) -> list[str]:
        """What is wrong with it; nothing of it is sent while something is."""
        found: list[str] = []
        if not is_request_id(self.request_id):
            found.append(
                "a request_id of an answer has 1 to 64 of A-Z a-z 0-9 . _ : / + = @ -, got "
                f"{self.request_id[:80]!r}"
            )
        if not 0 <= self.count <= MAX_EXPECTED:
            found.append(f"a count is a whole number from 0 to {MAX_EXPECTED}, got {self.count}")
        for name, text, most in (("note", self.note, MOST_NOTE), ("by", self.by, MOST_BY)):
            if text is not None and len(text) > most:
                found.append(f"{name} has at most {most} characters, got {len(text)}")
        return found

    def to_json(self) -> dict[str, Any]:
        """The body of POST /labels."""
        members: dict[str, Any] = {"request_id": self.request_id, "count": self.count}
        texts = {"note": self.note, "by": self.by}
        return members | {name: text for name, text in texts.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A label that is stored. `previous` is the count that was labelled before, None where there was none;
    `state` is `pending` until the label is joined to its answer."""

    request_id: str
    count: int
    previous: int | None
    labelled_at: str
    state: str

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Members that a later API may add are left alone. Raises KeyError, TypeError or ValueError."""
        previous = members["previous"]
        return cls(
            request_id=str(members["request_id"]),
            count=int(members["count"]),
            previous=None if previous is None else int(previous),
            labelled_at=str(members["labelled_at"]),
            state=str(members["state"]),
        )

    def to_json(self) -> dict[str, Any]:
        """The members as they came."""
        return {
            "request_id": self.request_id,
            "count": self.count,
            "previous": self.previous,
            "labelled_at": self.labelled_at,
            "state": self.state,
        }
