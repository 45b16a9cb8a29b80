"""The Lambda function that EventBridge calls for each file that SageMaker captured."""

import logging
import os
from typing import Any

from monitoring.aws import client
from monitoring.images.keep import keep_images

log = logging.getLogger()
log.setLevel(logging.INFO)


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """S3's event "Object Created" to how many lines, images and kept images the file had.

    The replaced file is an event, too; it has no images any more, and nothing is written.
    """
    detail = event["detail"]
    share = float(os.environ["SAMPLED_SHARE"])
    found = keep_images(
        client("s3"), bucket=detail["bucket"]["name"], key=detail["object"]["key"], share=share
    )
    log.info("%s: %s", detail["object"]["key"], found)
    return found
