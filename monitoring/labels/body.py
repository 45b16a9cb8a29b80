"""What a caller sends to POST /labels, and every fault of it at once."""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from bincount_core.limits import MAX_EXPECTED

MOST_BYTES = 16_384
"""Bytes of a body: a note and a name of the longest, every character written as a JSON escape, fit in."""
MOST_NOTE = 500
MOST_BY = 100
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,64}")  # docs/schemas/error.schema.json
_MEMBERS = ("request_id", "count", "note", "by")


class BadLabel(Exception):
    """The body is no label; the text says what is wrong and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person says of one answer: so many objects were there."""

    request_id: str
    count: int
    note: str | None = None
    by: str | None = None


def read_label(text: str) -> Label:
    """The label in a JSON body. Raises BadLabel with every fault.

    A member that comes twice, NaN, and members of other names are faults: each would mean that something
    which the caller wrote is lost.
    """
    members = _object(text)
    known = ", ".join(_MEMBERS)
    faults = [f"{name!r:.40} is no member of a label: {known}" for name in members if name not in _MEMBERS]
    request_id, count = members.get("request_id"), members.get("count")
    if not isinstance(request_id, str) or not _is_request_id(request_id):
        faults.append(
            "request_id is the one of an answer, 1 to 64 of A-Z a-z 0-9 . _ : / + = @ -, with a letter or a "
            f"digit among them, got {_shown(members, 'request_id')}"
        )
    # A bool is an int to Python.
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_EXPECTED:
        faults.append(f"count is a whole number from 0 to {MAX_EXPECTED}, got {_shown(members, 'count')}")
    faults += [_text_fault(members, "note", MOST_NOTE), _text_fault(members, "by", MOST_BY)]
    found = [fault for fault in faults if fault]
    if found:
        raise BadLabel("; ".join(found))
    return Label(
        request_id=cast(str, request_id),
        count=cast(int, count),
        note=_text(members, "note"),
        by=_text(members, "by"),
    )


def _object(text: str) -> dict[str, Any]:
    try:
        document: object = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        # Of the parser's own words the place is of use; a RecursionError has none.
        words = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise BadLabel(f"the body is no JSON of a label: {words[:200]}") from error
    if not isinstance(document, dict):
        raise BadLabel(
            f'the body is a JSON object such as {{"request_id": "…", "count": 4}}, got {_kind(document)}'
        )
    return cast("dict[str, Any]", document)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _is_request_id(text: str) -> bool:
    return bool(REQUEST_ID.fullmatch(text)) and any(character.isalnum() for character in text)


def _text_fault(members: dict[str, Any], name: str, most: int) -> str | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        return f"{name} is text, got {_shown(members, name)}"
    if len(value) > most:
        return f"{name} has at most {most} characters, got {len(value)}"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return f"{name} holds half a character (a surrogate without its other)"
    return None


def _text(members: dict[str, Any], name: str) -> str | None:
    """Blank text says nothing: it is as if it were not there."""
    return str(members.get(name) or "").strip() or None


def _shown(members: dict[str, Any], name: str) -> str:
    return ascii(members[name])[:60] if name in members else "nothing"


def _kind(document: object) -> str:
    if document is None:
        return "null"
    if isinstance(document, list):
        return "a list"
    return "a text" if isinstance(document, str) else "a number or a truth value"
