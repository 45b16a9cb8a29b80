"""The Lambda's entry point: one function, three steps (docs/inside/pipeline.md)."""

import os
from typing import Any

import boto3
from botocore.config import Config

from bincount.recount.join import THREADS, join
from bincount.recount.plan import plan
from bincount.recount.run_files import RunFiles
from bincount.recount.summarize import summarize

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    max_pool_connections=THREADS,
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"step": "plan" | "summarize", …}` or a batch of the join's map (`Items` and `BatchInput`).

    Raises BadRecount for an input that cannot be counted; its text says what to do.
    """
    s3 = boto3.client("s3", config=_CONFIG)
    given = event.get("BatchInput", event)
    run_files = RunFiles(s3=s3, bucket=os.environ["BUCKET"], run=given["run"])
    if given["step"] == "plan":
        return plan(
            run_files=run_files,
            images=given["request"].get("images"),
            manifest=given["request"].get("manifest"),
        )
    if given["step"] == "join":
        return {"rows": sum(join(run_files=run_files, chunk=chunk) for chunk in event["Items"])}
    return summarize(run_files=run_files, request=given["request"])
