"""AWS::Lambda::Function whose code is not in S3, which ministack makes without code; AWS makes none."""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_cloud.errors import AwsError

Fetch = Callable[[str, str, str | None], bytes | None]


def with_code(fetch: Fetch) -> Callable[[Mapping[str, Any]], None]:
    """A check of a function's properties; `fetch(bucket, key, version)` is the object, None where none is."""

    def check(properties: Mapping[str, Any]) -> None:
        code: Mapping[str, Any] = properties.get("Code") or {}
        if "S3Key" in code and fetch(code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion")) is None:
            missing = "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
            raise AwsError("InvalidParameterValueException", f"Error occurred while GetObject. {missing}")

    return check
