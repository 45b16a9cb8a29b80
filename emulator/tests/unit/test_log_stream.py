"""A log stream in a group that others make at the same moment, through a client that they share."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from embedded_cloud.jobs.log_stream import LogStream


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


def logs(code: str) -> Any:
    """A client whose CreateLogGroup is refused with that code; nothing is sent.

    Another thread asks for the client's error classes first meanwhile, so that botocore makes them twice.
    """
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    response: Any = import_module("botocore.awsrequest").AWSResponse
    client: Any = session.client("logs")

    def answer(request: Any, **_: Any) -> Any:
        client._exceptions = None
        client._exceptions_factory._client_exceptions_cache.clear()
        if b"CreateLogGroup" in request.headers["X-Amz-Target"]:
            return response(request.url, 400, {}, _Raw(b'{"__type": "%s"}' % code.encode()))
        return response(request.url, 200, {}, _Raw(b"{}"))

    client.meta.events.register("before-send.cloudwatch-logs", answer)
    return client


def test_a_group_that_is_there_already_is_taken() -> None:
    LogStream(logs=logs("ResourceAlreadyExistsException"), group="jobs", stream="one").close()


def test_any_other_refusal_of_the_group_is_an_error() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        LogStream(logs=logs("AccessDeniedException"), group="jobs", stream="one")
