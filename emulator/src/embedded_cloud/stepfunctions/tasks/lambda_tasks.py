"""A Lambda task's call: a function's error by its own name, Lambda's own errors by the SDK's."""

import json
from collections.abc import Callable
from typing import Any, cast

from embedded_cloud.stepfunctions.tasks.context import FailTask

Execute = Callable[[Any, Any], dict[str, Any]]
Find = Callable[[str], tuple[Any, Any, str]]


class LambdaTasks:
    """Calls a function in this process.

    `find(reference)` returns ministack's function, its configuration and its name; `record(function,
    configuration)` what `execute(record, event)` runs; `fail(error, cause)` makes the exception that fails a
    task.
    """

    def __init__(self, *, find: Find, record: Callable[..., Any], execute: Execute, fail: FailTask) -> None:
        self._find = find
        self._record = record
        self._execute = execute
        self._fail = fail

    def __call__(self, reference: str, event: Any) -> Any:
        """The function's answer as a JSON value."""
        function, configuration, name = self._find(reference)
        if not function or not configuration:
            message = f"Function not found: {name} (Service: Lambda, Status Code: 404)"
            raise self._fail("Lambda.ResourceNotFoundException", message)
        answer = self._execute(self._record(function, configuration), event)
        body = answer.get("body")
        if answer.get("throttle"):
            cause = f"{cast('dict[str, Any]', body)['message']} (Service: Lambda, Status Code: 429)"
            raise self._fail("Lambda.TooManyRequestsException", cause)
        if answer.get("error"):
            raise self._failed(body)
        return _json_value(body)

    def _failed(self, body: Any) -> Exception:
        """The error's name is the payload's `errorType`, the cause the payload as JSON, as on AWS."""
        if isinstance(body, dict):
            payload = cast("dict[str, Any]", body)
            return self._fail(payload.get("errorType") or "Lambda.Unknown", json.dumps(payload))
        return self._fail("Lambda.Unknown", str(body))


def _json_value(body: Any) -> Any:
    if not isinstance(body, str | bytes):
        return body
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return body
