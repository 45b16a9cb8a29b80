"""One event of labelling, as it lies in the bucket: Ground Truth's record with ours beside it.

Schema: docs/schemas/label.schema.json. `eventMetadata.eventId` is the answer's request id, which captured
answers have as inferenceId: programs that join by Model Monitor's rules read these files as they are.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import quote

from monitoring.labels.body import Label

LABELS = "labels/"
HISTORY = "label-history/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """`previous` is the count of the answer's label before, None where this is the first. `call` is the
    request id of the call that brought the label: the API's access log knows its caller."""

    label: Label
    previous: int | None
    labelled_at: datetime
    call: str

    @property
    def time(self) -> str:
        """RFC 3339 in UTC, milliseconds."""
        return self.labelled_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def key(self) -> str:
        """Where it lies by the day of labelling: names sort by time."""
        return f"{LABELS}{self.labelled_at:%Y/%m/%d}/{self._name}"

    @property
    def history_key(self) -> str:
        """Where the same bytes lie by answer."""
        return f"{history_of(self.label.request_id)}{self._name}"

    @property
    def _name(self) -> str:
        moment = self.time.replace("-", "").replace(":", "")
        return f"{moment}-{quote(self.call, safe='')}.jsonl"

    def to_line(self) -> bytes:
        """One line of JSON."""
        label = self.label
        texts = {"note": label.note, "by": label.by}
        record = {
            "groundTruthData": {"data": str(label.count), "encoding": "CSV"},
            "eventMetadata": {"eventId": label.request_id},
            "eventVersion": "0",
            "bincount": {
                "schema_version": 1,
                "count": label.count,
                "previous": self.previous,
                "labelled_at": self.time,
                "label_request_id": self.call,
                **{name: text for name, text in texts.items() if text is not None},
            },
        }
        return json.dumps(record).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """What to_line wrote."""
        record: dict[str, Any] = json.loads(line)
        ours: dict[str, Any] = record["bincount"]
        return cls(
            label=Label(
                request_id=record["eventMetadata"]["eventId"],
                count=ours["count"],
                note=ours.get("note"),
                by=ours.get("by"),
            ),
            previous=ours["previous"],
            labelled_at=datetime.fromisoformat(ours["labelled_at"]),
            call=ours["label_request_id"],
        )


def history_of(request_id: str) -> str:
    """The folder of all events about one answer. A slash in the id is no folder, hence the escape."""
    return f"{HISTORY}{quote(request_id, safe='')}/"


def moment_after(previous: LabelEvent | None, *, now: datetime) -> datetime:
    """`now` in whole milliseconds, but later than `previous`: a clock that lags lets no older one win."""
    now = now.astimezone(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    if previous is None or now > previous.labelled_at:
        return now
    return previous.labelled_at + timedelta(milliseconds=1)
