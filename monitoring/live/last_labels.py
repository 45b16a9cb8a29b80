"""The last label of each answer, of the labels that were given in some days."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from monitoring.aws import listed_below
from monitoring.labels.record import LABELS, LabelEvent

_WORKERS = 16


def last_labels(s3: Any, *, bucket: str, days: Iterable[date]) -> dict[str, LabelEvent]:
    """By request id. `days` are those of labelling; an older label of the same answer does not matter."""
    keys = [each["Key"] for day in days for each in listed_below(s3, bucket, f"{LABELS}{day:%Y/%m/%d}/")]

    def read(key: str) -> LabelEvent:
        return LabelEvent.from_line(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    last: dict[str, LabelEvent] = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        for event in pool.map(read, keys):
            before = last.get(event.label.request_id)
            if before is None or (before.labelled_at, before.call) < (event.labelled_at, event.call):
                last[event.label.request_id] = event
    return last
