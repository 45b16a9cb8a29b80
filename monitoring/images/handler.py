"""The Lambda function that EventBridge calls for each file that SageMaker captured."""

import logging
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from monitoring.images.keep import keep_images

log = logging.getLogger()
log.setLevel(logging.INFO)
_RETRIES: Any = {"mode": "standard", "total_max_attempts": 5}


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """S3's event "Object Created" to how many lines, images and kept images the file had.

    The replaced file is an event, too; it has no images any more, and nothing is written.
    """
    detail = event["detail"]
    share = float(os.environ["SAMPLED_SHARE"])
    found = keep_images(
        s3_client(), bucket=detail["bucket"]["name"], key=detail["object"]["key"], share=share
    )
    log.info("%s: %s", detail["object"]["key"], found)
    return found


@cache
def s3_client() -> Any:
    """One client for all calls of this process: to make one takes longer than to keep an image."""
    return boto3.client("s3", config=Config(retries=_RETRIES))
