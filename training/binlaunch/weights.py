"""Whether the ImageNet weights that a stage's jobs read have been staged."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from binlaunch.errors import LaunchError
from binlaunch.stage import Stage


def check_weights(*, stage: Stage, s3: Any) -> None:
    """Raises LaunchError where the stage's jobs read weights that nobody has staged yet."""
    uri = stage.channel("weights")
    if uri is None:
        return
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    try:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"]
    except ClientError as error:
        raise LaunchError(f"the stage's weights at {uri} cannot be looked at: {error}") from error
    if not found:
        raise LaunchError(
            f"the stage's weights {uri} are missing: make weights STAGE={stage.name}, or start its pipeline"
        )
