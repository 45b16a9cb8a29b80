"""A label: what a person says that an image shows; read from the page's JSON, and kept in a folder."""

import json
import os
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import quote

from bincount_core.limits import MAX_EXPECTED

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,64}")  # docs/schemas/error.schema.json
_LONGEST = {"note": 500, "by": 100}


class BadLabel(ValueError):
    """Not a label; the text says what was expected and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """`count` objects are in the image of the answer `request_id`; `by` names the person, `note` says why."""

    request_id: str
    count: int
    note: str | None = None
    by: str | None = None

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """A label of its JSON object. Raises BadLabel for anything else, unknown members too."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadLabel("expected a JSON object with request_id and count") from error
        if not isinstance(document, dict):
            raise BadLabel("expected a JSON object with request_id and count")
        members = cast("dict[str, Any]", document)
        if unknown := sorted(members.keys() - {"request_id", "count", *_LONGEST}):
            raise BadLabel(f"unknown member {unknown[0][:40]!r}: request_id, count, note and by are known")
        request_id, count = members.get("request_id"), members.get("count")
        if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
            raise BadLabel("request_id: expected the request_id of an answer")
        if type(count) is not int or not 0 <= count <= MAX_EXPECTED:
            raise BadLabel(f"count: expected a whole number from 0 to {MAX_EXPECTED}")
        words = {name: _words(members, name) for name in _LONGEST}
        return cls(request_id=request_id, count=count, **words)

    def to_json(self) -> dict[str, Any]:
        """The members that were given."""
        members = {"request_id": self.request_id, "count": self.count, "note": self.note, "by": self.by}
        return {name: value for name, value in members.items() if value is not None}


def _words(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST[name]:
        raise BadLabel(f"{name}: expected a text of at most {_LONGEST[name]} characters")
    return value.strip() or None


class LabelFolder:
    """Labels as files `<request_id>.json`; the last label of an answer is the one that counts.

    A file holds what a stage keeps of a label: SageMaker Ground Truth's record as Model Monitor reads it, and
    what is ours in the member `bincount`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, label: Label) -> dict[str, Any]:
        """Write the label; `request_id`, `count`, `previous` (the count of an earlier label, or None) and
        `labelled_at`. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{quote(label.request_id, safe='')}.json"
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))["bincount"]["count"]
        except (OSError, ValueError, KeyError, TypeError):
            earlier = None
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"count": label.count, "previous": earlier, "labelled_at": now}
        ours = {"schema_version": 1, **told, "label_request_id": uuid.uuid4().hex}
        words = {name: text for name, text in label.to_json().items() if name in _LONGEST}
        record = {
            "groundTruthData": {"data": str(label.count), "encoding": "CSV"},
            "eventMetadata": {"eventId": label.request_id},
            "eventVersion": "0",
            "bincount": ours | words,
        }
        # Another name first: a label that was cut short must not take the place of a whole one.
        half = path.with_name(f"{path.name}.{os.getpid()}.part")
        half.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
        half.replace(path)
        return {"request_id": label.request_id, **told}
