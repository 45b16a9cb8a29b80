"""Labels in the stage's bucket: written twice, by day and by answer, and never changed."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from monitoring.aws import listed_below
from monitoring.labels.record import LabelEvent, history_of

_SECONDS = 5  # API Gateway waits 29 s for the function: three tries of each call fit in


class LabelStore:
    """The labels of one bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        retries: Any = {"mode": "standard", "total_max_attempts": 3}
        config = Config(retries=retries, connect_timeout=_SECONDS, read_timeout=_SECONDS)
        self._s3 = boto3.client("s3", config=config)

    def newest(self, request_id: str) -> LabelEvent | None:
        """The last label of an answer; None where it has none. Names sort by time."""
        keys = [each["Key"] for each in listed_below(self._s3, self._bucket, history_of(request_id))]
        if not keys:
            return None
        found = self._s3.get_object(Bucket=self._bucket, Key=max(keys))
        return LabelEvent.from_line(found["Body"].read())

    def put(self, event: LabelEvent) -> None:
        """Stores a label: first by day, which is what is read every night.

        Killed in between, the caller got no answer and sends it again: it then lies twice by day, with the
        same count.
        """
        for key in (event.key, event.history_key):
            self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=event.to_line(), ContentType="application/jsonl"
            )


@cache
def store_of_environment() -> LabelStore:
    """The bucket that the environment's BUCKET names; made once a process."""
    return LabelStore(os.environ["BUCKET"])
