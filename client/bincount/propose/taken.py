"""What was proposed to whom a short while ago: objects below proposals/ in the bucket, which expire."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bincount.stage.objects import listed_below, read_if_there

PROPOSALS = "proposals/"
HOURS = 12
"""For so long nobody else is proposed the same: a shift, and some."""


def taken_by_others(s3: Any, bucket: str, *, by: str, now: datetime) -> set[str]:
    """The request ids that were proposed to others since HOURS ago."""
    earliest = PROPOSALS + _moment(now - timedelta(hours=HOURS))
    found: set[str] = set()
    for each in listed_below(s3, bucket, PROPOSALS, after=earliest):
        data = read_if_there(s3, bucket, each["Key"])
        record: dict[str, Any] = json.loads(data) if data else {"by": by}
        if record["by"] != by:
            found.update(record["request_ids"])
    return found


def take(s3: Any, bucket: str, request_ids: Sequence[str], *, by: str, now: datetime) -> str:
    """Keep what was proposed; the key. Two people in the same moment may get the same: no harm is done."""
    key = f"{PROPOSALS}{_moment(now)}-{uuid.uuid4().hex[:12]}.json"
    record = {
        "schema_version": 1,
        "proposed_at": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "by": by,
        "request_ids": list(request_ids),
    }
    body = json.dumps(record).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    return key


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
