"""Objects of a bucket, read in one way wherever one may be missing."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

_ABSENT = ("404", "NoSuchKey", "NotFound")


def read_if_there(s3: Any, bucket: str, key: str) -> bytes | None:
    """An object's bytes; None where there is none.

    The code of the error says it, not the client's class of it: botocore makes these classes at first use,
    and twice where two threads use them first.
    """
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise


def listed_below(s3: Any, bucket: str, prefix: str, *, after: str = "") -> Iterator[dict[str, Any]]:
    """What ListObjectsV2 says of each object whose key begins with `prefix`, by key; those `after` a key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after)
    for page in pages:
        yield from page.get("Contents", ())
