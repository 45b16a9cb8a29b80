"""The stage's bucket on a real S3 over HTTP, and calls of the label function as API Gateway makes them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from monitoring import aws
from monitoring.labels import handler, store
from tests.unit.data_prep.conftest import s3_environment

__all__ = ["s3_environment"]
BUCKET = "labels-of-a-test"


@pytest.fixture
def s3(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an S3 whose bucket is empty, in the environment of the function."""
    for name, value in (s3_environment | {"BUCKET": BUCKET, "CAPTURE_PERCENT": "100"}).items():
        monkeypatch.setenv(name, value)
    store.store_of_environment.cache_clear()
    aws.client.cache_clear()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for page in client.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            client.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket=BUCKET)
    store.store_of_environment.cache_clear()
    aws.client.cache_clear()


@pytest.fixture
def objects(s3: Any) -> Callable[[str], dict[str, Any]]:
    """`objects(prefix)`: the records below it by key, in the order of their names."""

    def read(prefix: str) -> dict[str, Any]:
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ())
        keys = [each["Key"] for each in listed]
        return {key: json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys}

    return read


class Calls:
    """Calls the function; each call has a request id of its own."""

    def __init__(self) -> None:
        self.made = 0

    def send(self, body: str | None, **event: Any) -> tuple[int, Any]:
        """Status and document of the response to a body as it is."""
        self.made += 1
        context = {"requestId": f"call-{self.made}"}
        answer = handler.handler({"body": body, "requestContext": context, **event}, None)
        assert answer["headers"]["Content-Type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    def label(self, request_id: Any = "answer-1", count: Any = 4, **members: Any) -> tuple[int, Any]:
        """The same for a label."""
        return self.send(json.dumps({"request_id": request_id, "count": count, **members}))


@pytest.fixture
def calls() -> Calls:
    """The caller of this test."""
    return Calls()
