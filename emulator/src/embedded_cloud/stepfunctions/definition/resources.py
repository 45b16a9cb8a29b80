"""A Task's Resource and the names of its parameters, held to AWS's own description of its APIs."""

import re
from collections.abc import Iterator
from typing import Any

from embedded_cloud.stepfunctions.definition.findings import Finding, as_object, schema
from embedded_cloud.stepfunctions.tasks.sdk_services import sdk_service, unknown_members

_ARN = re.compile(r"arn:aws[a-z-]*:(lambda:[^:]*:[^:]*:function:.+|states:[^:]*:[^:]*:activity:.+)")
_STATES = re.compile(r"arn:aws[a-z-]*:states:[^:]*:[^:]*:(.+)")
# The optimised integrations; those with a list take just these actions.
_SAGEMAKER = {
    "createEndpoint": (),
    "createEndpointConfig": (),
    "createHyperParameterTuningJob": ("sync",),
    "createLabelingJob": ("sync",),
    "createModel": (),
    "createProcessingJob": ("sync",),
    "createTrainingJob": ("sync",),
    "createTransformJob": ("sync",),
    "updateEndpoint": (),
}
_ACTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "dynamodb": {name: () for name in ("getItem", "putItem", "updateItem", "deleteItem")},
    "events": {"putEvents": ("waitForTaskToken",)},
    "http": {"invoke": ()},
    "lambda": {"invoke": ("waitForTaskToken",)},
    "sagemaker": _SAGEMAKER,
    "sns": {"publish": ("waitForTaskToken",)},
    "sqs": {"sendMessage": ("waitForTaskToken",)},
    "states": {"startExecution": ("sync", "sync:2", "waitForTaskToken")},
}
_OTHERS = frozenset(
    {
        "apigateway",
        "athena",
        "batch",
        "bedrock",
        "codebuild",
        "databrew",
        "ecs",
        "eks",
        "elasticmapreduce",
        "emr-containers",
        "emr-serverless",
        "glue",
        "mediaconvert",
    }
)
_MODELLED = ("dynamodb", "sagemaker")  # whose parameters are those of the API


def check_resource(state: dict[str, Any], path: str) -> Iterator[Finding]:
    """Yields a fault for a resource that AWS does not know, and for each parameter that is not in its API."""
    resource = state.get("Resource")
    if resource is None or (isinstance(resource, str) and resource.startswith("{%")):
        return
    if not isinstance(resource, str) or not _is_known(resource):
        message = (
            f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, "
            "or the resource is not available in this region."
        )
        yield schema(message, f"{path}/Resource")
        return
    field = "Arguments" if "Arguments" in state else "Parameters"
    shape = _input_shape(resource)
    given = state.get(field)
    if shape is None:
        return
    for where in unknown_members(as_object(given), shape):
        message = f"The field '{where.rpartition('/')[2]}' is not supported by Step Functions"
        yield schema(message, f"{path}/{field}{where.rpartition('/')[0]}")


def _is_known(resource: str) -> bool:
    if _ARN.fullmatch(resource):
        return True
    match = _STATES.fullmatch(resource)
    if not match:
        return False
    if match[1].startswith("aws-sdk:"):
        return _sdk_operation(match[1]) is not None
    service, _, task = match[1].partition(":")
    action, _, pattern = task.partition(".")
    if service in _OTHERS:
        return bool(action)
    patterns = _ACTIONS.get(service, {}).get(action)
    return patterns is not None and (not pattern or pattern in patterns)


def _sdk_operation(name: str) -> Any | None:
    """Of `aws-sdk:<service>:<action>`, perhaps with `.waitForTaskToken`."""
    parts = name.split(":")
    if len(parts) != 3:
        return None
    service = sdk_service(parts[1])
    action, _, pattern = parts[2].partition(".")
    if service is None or pattern not in ("", "waitForTaskToken"):
        return None
    return service.operation(action)


def _input_shape(resource: str) -> Any | None:
    match = _STATES.fullmatch(resource)
    if not match:
        return None
    name = match[1]
    if not name.startswith("aws-sdk:"):
        if name.partition(":")[0] not in _MODELLED:
            return None
        name = f"aws-sdk:{name.partition('.')[0]}"
    operation = _sdk_operation(name)
    return operation.input_shape if operation is not None else None
