"""A label as the page's server takes it: read from the page's JSON, and kept in a folder."""

import json
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from bincount.labels.label import Label

_TEXTS = ("note", "by")


class BadLabel(ValueError):
    """Not a label; the text says what was expected and what came."""


def read_label(text: bytes) -> Label:
    """A label of its JSON object. Raises BadLabel for anything else, unknown members too."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadLabel("expected a JSON object with request_id and count") from error
    if not isinstance(document, dict):
        raise BadLabel("expected a JSON object with request_id and count")
    members = cast("dict[str, Any]", document)
    if unknown := sorted(members.keys() - {"request_id", "count", *_TEXTS}):
        raise BadLabel(f"unknown member {unknown[0][:40]!r}: request_id, count, note and by are known")
    request_id, count = members.get("request_id"), members.get("count")
    if not isinstance(request_id, str) or type(count) is not int:
        raise BadLabel("expected the request_id of an answer, a text, and a count, a whole number")
    label = Label(request_id=request_id, count=count, **{name: _text(members, name) for name in _TEXTS})
    if faults := label.faults():
        raise BadLabel("; ".join(faults))
    return label


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise BadLabel(f"{name}: expected a text")
    return (value or "").strip() or None


class LabelFolder:
    """Labels as files `<request_id>.json`; the last label of an answer is the one that counts.

    A file holds what a stage keeps of a label (docs/schemas/label.schema.json).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, label: Label) -> dict[str, Any]:
        """Write the label; the members of the API's answer to it. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{quote(label.request_id, safe='')}.json"
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))["bincount"]["count"]
        except (OSError, ValueError, KeyError, TypeError):
            earlier = None
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"count": label.count, "previous": earlier, "labelled_at": now}
        ours = {"schema_version": 1, **told, "label_request_id": uuid.uuid4().hex}
        texts = {name: text for name, text in label.to_json().items() if name in _TEXTS}
        record = {
            "groundTruthData": {"data": str(label.count), "encoding": "CSV"},
            "eventMetadata": {"eventId": label.request_id},
            "eventVersion": "0",
            "bincount": ours | texts,
        }
        # Another name first: a label that was cut short must not take the place of a whole one.
        half = path.with_name(f"{path.name}.{os.getpid()}.part")
        half.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
        half.replace(path)
        return {"request_id": label.request_id, **told, "state": "pending"}
