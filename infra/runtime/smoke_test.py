"""Sends the bin that the gate kept to the endpoint and compares the answer with the gate's.

Only count and model id are compared: probabilities differ in the last digits from one CPU to the next, and
the gate chose the bin about which the model is surest.
"""

import json
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError

REQUESTS = 5  # the balancer spreads them over the instances
FULL = 503
PATIENCE_SECONDS = 20


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"endpoint": name, "verdict": address of verdict.json}` in, `{"passed": bool, "reason": str}` out."""
    expected, image = _known_bin(event["verdict"])
    runtime = boto3.client("sagemaker-runtime")
    deadline = time.monotonic() + PATIENCE_SECONDS
    wanted = {"count": expected["count"], "model": expected["model"]}
    for _ in range(REQUESTS):
        try:
            answer = _invoke(runtime, event["endpoint"], image, deadline=deadline)
        except (ClientError, ValueError) as error:
            return {"passed": False, "reason": f"smoke test: {error}"}
        came = {name: answer.get(name) for name in wanted}
        if came != wanted:
            reason = f"smoke test: the endpoint answered {came} for the gate's bin, the gate {wanted}"
            return {"passed": False, "reason": reason}
    return {"passed": True, "reason": ""}


def _known_bin(uri: str) -> tuple[dict[str, Any], bytes]:
    """What the gate's verdict says of its bin, and the bin."""
    s3 = boto3.client("s3")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    smoke = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["smoke"]
    image = f"{key.rpartition('/')[0]}/{smoke['image']}"
    return smoke, s3.get_object(Bucket=bucket, Key=image)["Body"].read()


def _invoke(runtime: Any, endpoint: str, image: bytes, *, deadline: float) -> dict[str, Any]:
    """The endpoint's answer; a server that is full is asked again until the deadline."""
    while True:
        try:
            response = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/jpeg", Body=image)
            return json.loads(response["Body"].read())
        except ClientError as error:
            if error.response.get("OriginalStatusCode") != FULL or time.monotonic() > deadline:
                raise
        time.sleep(1)
