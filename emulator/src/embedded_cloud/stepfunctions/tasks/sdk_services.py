"""How Step Functions names services, actions, members and errors of `aws-sdk` tasks: as the AWS SDK for
Java 2 does, worked out from botocore's service models.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

import botocore.session

# Where Step Functions' name of a service (the service's id, lower case, no spaces) is not boto3's.
_BOTO_NAMES = {
    "applicationautoscaling": "application-autoscaling",
    "autoscaling": "autoscaling",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "elasticloadbalancingv2": "elbv2",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
    "sagemakerruntime": "sagemaker-runtime",
    "servicequotas": "service-quotas",
    "sfn": "stepfunctions",
}
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


class SdkService:
    """One service as Step Functions sees it; `boto_name` makes its client."""

    def __init__(self, boto_name: str) -> None:
        self.boto_name = boto_name
        self._model: Any = botocore.session.get_session().get_service_model(boto_name)

    @property
    def prefix(self) -> str:
        """What its errors begin with: `DynamoDb`, `Sfn`, `SageMaker`."""
        return pascal_case(self._model.metadata["serviceId"])

    def operation(self, action: str) -> Any | None:
        """The model of an action in camelCase (`describeEndpoint`); None where the service has none.

        `ListTagsForResource` is not an action: Step Functions takes camelCase only.
        """
        name = f"{action[:1].upper()}{action[1:]}"
        if action[:1].isupper() or name not in self._model.operation_names:
            return None
        return self._model.operation_model(name)

    def error_name(self, code: str) -> str:
        """`Ssm.ParameterNotFoundException` for a modelled error, else the service's `Ssm.SsmException`."""
        shapes = self._model.error_shapes
        # By its name first: two errors of CloudWatch share a code.
        named = (s for s in shapes if s.name in (code, f"{code}Exception"))
        shape = next(named, None) or next((s for s in shapes if s.error_code == code), None)
        if shape is None:
            return f"{self.prefix}.{self.prefix}Exception"
        stem = shape.name.removesuffix("Exception").removesuffix("Fault")
        return f"{self.prefix}.{pascal_case(stem)}Exception"


@lru_cache(maxsize=64)
def sdk_service(name: str) -> SdkService | None:
    """The service that Step Functions calls `name`; None where AWS has none of that name."""
    boto_name = _BOTO_NAMES.get(name, name)
    session: Any = botocore.session.get_session()
    if boto_name not in session.get_available_services():
        return None
    service = SdkService(boto_name)
    return service if _plain(service) == name else None


def _plain(service: SdkService) -> str:
    return re.sub(r"[^a-z0-9]", "", service.prefix.lower())


def pascal_case(name: str) -> str:
    """`API Gateway` as `ApiGateway`, `DynamoDB` as `DynamoDb`."""
    return "".join(f"{word[:1].upper()}{word[1:].lower()}" for word in _WORDS.findall(name))


def to_request(value: object, shape: Any) -> Any:
    """A task's parameters (members in PascalCase) with the members as the API writes them."""
    return _renamed(value, shape, _api_name)


def to_result(value: object, shape: Any) -> Any:
    """An API's answer with its members in PascalCase."""
    return _renamed(value, shape, _task_name)


def unknown_members(value: object, shape: Any, path: str = "") -> Iterator[str]:
    """Yields the path of every member that the API does not have; `.$` at a name's end is left out."""
    if value is None or shape is None or isinstance(value, str):
        return
    if shape.type_name == "structure" and not _is_document(shape) and isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            name, where = key.removesuffix(".$"), f"{path}/{key}"
            member = _member(shape, name)
            if member is None:
                yield where
            elif not key.endswith(".$"):
                yield from unknown_members(item, shape.members[member], where)
    elif shape.type_name == "list" and isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from unknown_members(item, shape.member, f"{path}[{index}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield from unknown_members(item, shape.value, f"{path}/{key}")


def _member(shape: Any, name: str) -> str | None:
    """The API's member that a task writes as `name`: it must begin with a capital."""
    if name[:1].islower():
        return None
    lower = f"{name[:1].lower()}{name[1:]}"
    return next((candidate for candidate in (name, lower) if candidate in shape.members), None)


def _api_name(shape: Any, name: str) -> str:
    return _member(shape, name) or name


def _task_name(shape: Any, name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def _renamed(value: object, shape: Any, rename: Any) -> Any:
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        if shape.type_name == "map":
            return {key: _renamed(item, shape.value, rename) for key, item in entries.items()}
        if shape.type_name == "structure" and not _is_document(shape):
            return _renamed_members(entries, shape, rename)
    if isinstance(value, list) and shape.type_name == "list":
        return [_renamed(item, shape.member, rename) for item in cast("list[object]", value)]
    return cast("Any", value)


def _renamed_members(entries: dict[str, object], shape: Any, rename: Any) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for key, item in entries.items():
        member = key if key in shape.members else _member(shape, key)
        renamed[rename(shape, key)] = _renamed(item, shape.members[member], rename) if member else item
    return renamed


def _is_document(shape: Any) -> bool:
    return bool(getattr(shape, "is_document_type", False))
