"""What each kind of target answers, in EventBridge's error codes."""

import json
from collections.abc import Callable
from typing import Any

from embedded_cloud.eventbridge.failure import Failure, report

_RETRIED = {"ExecutionLimitExceeded", "ThrottlingException", "TooManyRequestsException"}
_CODES = {
    "StateMachineDoesNotExist": "NO_RESOURCE",
    "StateMachineDeleting": "NO_RESOURCE",
    "ExecutionLimitExceeded": "RESOURCE_LIMIT_EXCEEDED",
    "ExecutionAlreadyExists": "RESOURCE_ALREADY_EXISTS",
    "InvalidExecutionInput": "INVALID_JSON",
    "ThrottlingException": "THROTTLING",
    "TooManyRequestsException": "THROTTLING",
}
Dispatch = Callable[..., None]


def to_stepfunctions(start: Callable[[dict[str, Any]], Any]) -> Dispatch:
    """In place of ministack's `_dispatch_to_stepfunctions`; `start(request)` is StartExecution."""

    def run(arn: str, payload: str) -> None:
        status, _, body = start({"stateMachineArn": arn, "input": payload})
        if status >= 400:
            error = json.loads(body)
            name = str(error.get("__type", "")).rpartition("#")[2]
            report(
                Failure(
                    code=_CODES.get(name, "ERROR_FROM_TARGET"),
                    message=error.get("message") or name,
                    retryable=name in _RETRIED,
                )
            )

    return run


def to_existing(dispatch: Dispatch, *, exists: Callable[[str], bool], what: str) -> Dispatch:
    """ministack's dispatch to a queue, a function or a bus; one that is absent is not a resource."""

    def run(reference: Any, *rest: Any, **named: Any) -> None:
        if not exists(str(reference)):
            report(Failure(code="NO_RESOURCE", message=f"The {what} {reference} does not exist."))
            return
        dispatch(reference, *rest, **named)

    return run


def to_sns(publish: Callable[..., Any], error_type: type[Exception]) -> Dispatch:
    """In place of ministack's `_dispatch_to_sns`; `publish` answers None for no topic."""

    def run(arn: str, payload: str) -> None:
        try:
            published = publish(arn, payload, "EventBridge Notification")
        except error_type as error:
            report(Failure(code="ERROR_FROM_TARGET", message=str(error)))
            return
        if published is None:
            report(Failure(code="NO_RESOURCE", message=f"The topic {arn} does not exist."))

    return run
