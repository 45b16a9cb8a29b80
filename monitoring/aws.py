"""What the functions do with AWS alike: clients, and objects of the stage's bucket."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

NAMESPACE = "BinCount"
"""Of all metrics, as the server's own."""
_RETRIES: Any = {"mode": "standard", "total_max_attempts": 5}
_ABSENT = ("404", "NoSuchKey", "NotFound")


@cache
def client(service: Any) -> Any:
    """One a process, for all its calls: to make one takes longer than most of them."""
    return boto3.client(service, config=Config(retries=_RETRIES, max_pool_connections=32))


def _is_absent(error: ClientError) -> bool:
    """Whether S3 says that there is no such object. Without the right to list it says 403 instead."""
    return error.response["Error"]["Code"] in _ABSENT


def read_if_there(s3: Any, bucket: str, key: str) -> bytes | None:
    """An object's bytes; None where there is none."""
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if _is_absent(error):
            return None
        raise


def head_if_there(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """What HeadObject says of an object; None where there is none."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _is_absent(error):
            return None
        raise


def listed_below(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """What ListObjectsV2 says of each object whose key begins with `prefix`, by key."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())
