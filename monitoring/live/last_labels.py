"""The last label of each answer, of the labels that were given in some days."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from monitoring.labels.record import LABELS, LabelEvent

_WORKERS = 16


def last_labels(s3: Any, *, bucket: str, days: Iterable[date]) -> dict[str, LabelEvent]:
    """By request id. `days` are those of labelling; an older label of the same answer does not matter."""
    keys = [key for day in days for key in _keys(s3, bucket, f"{LABELS}{day:%Y/%m/%d}/")]

    def read(key: str) -> LabelEvent:
        return LabelEvent.from_line(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    last: dict[str, LabelEvent] = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        for event in pool.map(read, keys):
            before = last.get(event.label.request_id)
            if before is None or (before.labelled_at, before.call) < (event.labelled_at, event.call):
                last[event.label.request_id] = event
    return last


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (each["Key"] for each in page.get("Contents", ()))
