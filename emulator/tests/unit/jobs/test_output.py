"""A log stream in a group that others make at the same moment, through a client that they share."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from embedded_cloud.jobs.output import LogStream, MetricScanner

ACCURACY = {"Name": "validation:accuracy", "Regex": r"metric=validation:accuracy value=([-+0-9.eE]+)"}
LOSS = {"Name": "train:loss", "Regex": r"metric=train:loss value=([-+0-9.eE]+)"}


def final(*lines: str, definitions: list[dict[str, str]]) -> dict[str, float]:
    scanner = MetricScanner(definitions)
    for line in lines:
        scanner.scan(line)
    return {metric["MetricName"]: metric["Value"] for metric in scanner.final()}


def test_the_last_match_is_the_final_value():
    lines = ("metric=validation:accuracy value=0.31 epoch=1", "metric=validation:accuracy value=0.41 epoch=2")
    assert final(*lines, definitions=[ACCURACY]) == {"validation:accuracy": 0.41}


def test_each_metric_is_kept_by_itself_and_unseen_ones_are_absent():
    assert final("metric=train:loss value=1.5e-3", definitions=[ACCURACY, LOSS]) == {"train:loss": 0.0015}


def test_several_matches_in_one_line_count_in_order():
    assert final("metric=train:loss value=2 metric=train:loss value=1", definitions=[LOSS]) == {
        "train:loss": 1.0
    }


def test_text_that_is_no_number_is_passed_over():
    assert final("metric=train:loss value=1", "metric=train:loss value=--", definitions=[LOSS]) == {
        "train:loss": 1.0
    }


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


def test_any_other_answer_about_the_group_is_an_error() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        LogStream(logs=logs("AccessDeniedException"), group="jobs", stream="one")
