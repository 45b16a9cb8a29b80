"""Captured files by hour: capture/<endpoint>/<variant>/yyyy/mm/dd/hh/ in the stage's bucket.

The folder is the hour of the request by SageMaker's clock, in UTC. Files arrive minutes after the request,
and a file may be replaced by one without images: its key and its answers stay.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.aws import listed_below
from monitoring.captures.captured import UNREADABLE, Captured

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_CHUNK = 1 << 20
log = logging.getLogger()


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour of `moment`, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def files_of_hour(s3: Any, *, bucket: str, folder: str, hour: datetime) -> list[dict[str, Any]]:
    """What ListObjectsV2 says of each captured file of an hour, by name.

    `folder` is `capture/<endpoint>/<variant>/`.
    """
    return list(listed_below(s3, bucket, f"{folder}{hour:%Y/%m/%d/%H}/"))


def digest_of_files(keys: Sequence[str]) -> str:
    """Changes when a file joins the hour, and not when one is replaced by itself without its images."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


def lines_of_file(s3: Any, *, bucket: str, key: str) -> Iterator[bytes]:
    """A line at a time: with images, one of 6 MB is a line of 8 MB."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    return (line for line in body.iter_lines(chunk_size=_CHUNK) if line.strip())


def captured_of_file(s3: Any, *, bucket: str, key: str) -> Iterator[Captured | None]:
    """Each line of a file, None where it cannot be read: that is logged, and ends nothing."""
    for text in lines_of_file(s3, bucket=bucket, key=key):
        try:
            yield Captured.from_line(text)
        except UNREADABLE as error:
            log.warning("%s: a line is passed over: %s %s", key, type(error).__name__, error)
            yield None
