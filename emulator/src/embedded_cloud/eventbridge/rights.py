"""What a target's role must be allowed, and a dead-letter queue's policy, and the bounds of a target."""

import json
from collections.abc import Callable
from typing import Any, cast

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.eventbridge.failure import Failure

Authorise = Callable[[str, str, str], bool]
_ACTIONS = {
    "states": "states:StartExecution",
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
}
# PutTargets' own bounds, from the API reference.
_BOUNDS = {"MaximumRetryAttempts": (0, 185), "MaximumEventAgeInSeconds": (60, 86_400)}
_SERVICE = "events.amazonaws.com"
_SENDING = {"sqs:sendmessage", "sqs:*", "*"}


def checker(authorise: Authorise) -> Callable[[dict[str, Any]], Failure | None]:
    """Whether a target's role may call the target; one without a role is not asked."""

    def check(target: dict[str, Any]) -> Failure | None:
        role, arn = target.get("RoleArn"), target.get("Arn", "")
        action = _ACTIONS.get(arn.split(":")[2] if arn.count(":") >= 5 else "")
        if not role or not action or authorise(role, action, arn):
            return None
        message = f"User: {role} is not authorized to perform: {action} on resource: {arn}"
        return Failure(code="NO_PERMISSIONS", message=message)

    return check


def may_send(queue: dict[str, Any]) -> bool:
    """Whether a queue's policy lets EventBridge in: without that AWS loses the event."""
    policy = queue.get("attributes", {}).get("Policy")
    if not policy:
        return False
    return any(_lets_in(statement) for statement in _listed(json.loads(policy).get("Statement", [])))


def _lets_in(statement: dict[str, Any]) -> bool:
    principal: Any = statement.get("Principal")
    services: Any = "*" if principal == "*" else cast("dict[str, Any]", principal or {}).get("Service")
    return (
        statement.get("Effect") == "Allow"
        and bool({_SERVICE, "*"} & set(_listed(services)))
        and bool(_SENDING & {str(action).lower() for action in _listed(statement.get("Action"))})
    )


def check_target(target: dict[str, Any]) -> None:
    """Raises a ValidationException for a retry policy or a dead-letter queue that AWS does not take."""
    policy: dict[str, Any] = target.get("RetryPolicy") or {}
    for name, (least, most) in _BOUNDS.items():
        if name in policy and not least <= int(policy[name]) <= most:
            where = f"targets.1.member.retryPolicy.{name[0].lower()}{name[1:]}"
            raise validation_error(
                f"Value '{policy[name]}' at '{where}' failed to satisfy constraint: "
                f"Member must have value between {least} and {most}"
            )
    dead: dict[str, str] = target.get("DeadLetterConfig") or {}
    queue = dead.get("Arn")
    if queue is not None and (not queue.startswith("arn:aws:sqs:") or queue.endswith(".fifo")):
        raise AwsError(
            "ValidationException",
            f"Parameter DeadLetterConfig is not valid. Reason: {queue} is not an ARN of a standard queue.",
        )


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]
