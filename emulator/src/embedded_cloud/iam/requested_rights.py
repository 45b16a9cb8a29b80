"""Which rights a request needs, where ministack does not know: action, resource, rights beside the action."""

import json
import re
from typing import Any, cast

from embedded_cloud.identity import ACCOUNT, REGION

NAMESPACES = {
    "sagemaker": "sagemaker",
    "sagemaker-control": "sagemaker",
    "application-autoscaling": "application-autoscaling",
    "servicequotas": "servicequotas",
}
_ENDPOINT = re.compile(r"/endpoints/([^/]+)/invocations")
_RESOURCES = {
    "TrainingJob": "training-job",
    "ProcessingJob": "processing-job",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "TransformJob": "transform-job",
    "Model": "model",
    "EndpointConfig": "endpoint-config",
    "Endpoint": "endpoint",
    "ModelPackageGroup": "model-package-group",
    "ModelPackage": "model-package",
    "ModelCard": "model-card",
}


def runtime_action(service: str, path: str) -> str | None:
    """The action of a runtime request, or None where the request is none."""
    return "sagemaker:InvokeEndpoint" if service == "sagemaker" and _ENDPOINT.fullmatch(path) else None


def resource_arn(*, service: str, path: str, headers: dict[str, str], body: bytes) -> str | None:
    """The ARN that a request is about; `*` where AWS has none; None where ministack knows it itself."""
    if service in ("application-autoscaling", "servicequotas"):
        return "*"
    if service == "ssm":
        return next(iter(_named_parameters(headers, body)), None)
    if service == "monitoring":
        return next(iter(_named_alarms(headers, body)), None)
    if service not in ("sagemaker", "sagemaker-control"):
        return None
    match = _ENDPOINT.fullmatch(path)
    if match:
        return _arn(f"endpoint/{match.group(1)}")
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    request = _request(body)
    if "ResourceArn" in request:
        return request["ResourceArn"]
    kind = re.sub("^(Create|Describe|Update|Delete|Stop|List)", "", operation)
    if operation == "ListTrainingJobsForHyperParameterTuningJob":
        kind = "HyperParameterTuningJob"
    name = request.get(f"{kind}Name") or request.get(f"{kind}Arn") or request.get(f"{kind}GroupName")
    if kind not in _RESOURCES or not isinstance(name, str):
        return "*"
    # AWS checks CreateModelPackage on the package that is to be: <group>/<next version>.
    suffix = "/1" if operation == "CreateModelPackage" else ""
    return name if name.startswith("arn:") else _arn(f"{_RESOURCES[kind]}/{name}{suffix}")


def further_parameters(*, headers: dict[str, str], body: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """(action, ARN, condition keys) for each parameter but the first that a request to SSM lists."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    return [(f"ssm:{operation}", arn, {}) for arn in _named_parameters(headers, body)[1:]]


def _named_parameters(headers: dict[str, str], body: bytes) -> list[str]:
    """AWS checks these two on each parameter that is named, ministack on `*`."""
    names = _request(body).get("Names")
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation not in ("GetParameters", "DeleteParameters") or not isinstance(names, list):
        return []
    return [_parameter_arn(str(name)) for name in cast("list[Any]", names)]


def _parameter_arn(name: str) -> str:
    if name.startswith("arn:"):
        return name
    # A version or a label may follow the name.
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name.partition(':')[0].removeprefix('/')}"


def further_alarms(*, headers: dict[str, str], body: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """(action, ARN, condition keys) for each alarm but the first that DescribeAlarms names."""
    return [("cloudwatch:DescribeAlarms", arn, {}) for arn in _named_alarms(headers, body)[1:]]


def _named_alarms(headers: dict[str, str], body: bytes) -> list[str]:
    """AWS checks DescribeAlarms on each alarm that AlarmNames has, and on `*` where there are none.

    Of JSON requests, as botocore sends them; ministack holds those in other forms to `*`, which is stricter.
    """
    names = _request(body).get("AlarmNames")
    if headers.get("x-amz-target", "").rpartition(".")[2] != "DescribeAlarms" or not isinstance(names, list):
        return []
    return [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}" for name in cast("list[Any]", names)]


def further_states(*, headers: dict[str, str], body: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """iam:PassRole for the role that TestState runs a task with."""
    role = _request(body).get("roleArn")
    if not headers.get("x-amz-target", "").endswith(".TestState") or not isinstance(role, str):
        return []
    return [("iam:PassRole", role, {"iam:PassedToService": "states.amazonaws.com"})]


def further_rights(*, headers: dict[str, str], body: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """(action, ARN, condition keys) that a request to SageMaker's control plane needs beside its own action.

    iam:PassRole for each role that it hands over, sagemaker:AddTags for what it makes with tags.
    """
    request = _request(body)
    definition = request.get("TrainingJobDefinition")
    nested = cast("dict[str, Any]", definition).get("RoleArn") if isinstance(definition, dict) else None
    # One value, not a list: StringEquals without a set operator compares single values.
    service = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    rights = [
        ("iam:PassRole", role, service)
        for role in (request.get("RoleArn"), request.get("ExecutionRoleArn"), nested)
        if isinstance(role, str)
    ]
    if request.get("Tags") and headers.get("x-amz-target", "").rpartition(".")[2].startswith("Create"):
        made = resource_arn(service="sagemaker-control", path="/", headers=headers, body=body)
        rights.append(("sagemaker:AddTags", made or "*", {}))
    return rights


def _arn(resource: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{resource}"


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return cast("dict[str, Any]", request) if isinstance(request, dict) else {}
