"""What a state machine's role must be allowed for the tasks that ministack does in its own process.

The sagemaker and aws-sdk tasks are signed requests of the role; these are not, so the cloud asks first.
"""

from collections.abc import Callable
from typing import Any

from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.stepfunctions.tasks.context import FailTask, current

Authorise = Callable[[str, str, str], bool]
_DYNAMODB = "arn:aws:states:::dynamodb:"


def needed(resource: str, parameters: Any) -> tuple[str, str, str] | None:
    """(action, ARN, error where it is denied) of a Lambda or DynamoDB task; None for any other."""
    if resource.startswith(_DYNAMODB):
        operation = resource.removeprefix(_DYNAMODB)
        action = f"dynamodb:{operation[:1].upper()}{operation[1:]}"
        table = _arn("dynamodb", f"table/{parameters.get('TableName')}")
        return action, table, "DynamoDB.AmazonDynamoDBException"
    function = parameters.get("FunctionName", "") if ":::lambda:invoke" in resource else resource
    if ":::lambda:invoke" not in resource and ":function:" not in resource:
        return None
    arn = function if function.startswith("arn:") else _arn("lambda", f"function:{function}")
    return "lambda:InvokeFunction", arn, "Lambda.AWSLambdaException"


def require(
    authorise: Authorise, fail: FailTask, *, action: str, arn: str, error: str = "States.Runtime"
) -> None:
    """Raises `fail(error, …)` where the current state machine's role may not do `action` on `arn`."""
    role = current().role
    if not authorise(role, action, arn):
        raise fail(error, f"User: {role} is not authorized to perform: {action} on resource: {arn}")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
