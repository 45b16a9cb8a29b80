"""AWS::ApplicationAutoScaling::ScalableTarget and ScalingPolicy."""

import copy
from abc import ABC, abstractmethod
from typing import Any

from embedded_cloud.autoscaling.api import SERVICE, ApplicationAutoScaling
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.shapes import shapes_of

Provisioned = tuple[str, dict[str, Any]]
_IDENTITY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class AutoScalingType(ABC):
    """A type whose update is the call that creates it: a put under the same identity."""

    def __init__(self, api: ApplicationAutoScaling) -> None:
        self._api = api

    def handler(self) -> dict[str, Any]:
        """What ministack's table of types wants."""
        return {"create": self.create, "update": self.update, "delete": self.delete}

    @abstractmethod
    def create(self, logical_id: str, properties: dict[str, Any], stack: str) -> Provisioned:
        """Puts the resource. Raises ValueError with AWS's reason, which rolls the stack back."""

    def update(self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Provisioned:
        """Puts it again; another identity is another resource."""
        return self.create("", new, stack)

    @abstractmethod
    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Deletes the resource; one that is gone already counts as deleted."""


class ScalableTargetType(AutoScalingType):
    """Ref is `<resource id>|<dimension>|<namespace>`, as on AWS."""

    def create(self, logical_id: str, properties: dict[str, Any], stack: str) -> Provisioned:
        """Registers the target."""
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        given = {key: value for key, value in properties.items() if key != "Tags"}
        # A template lists its tags, the API takes a map.
        request = _call(self._api, "RegisterScalableTarget", {**given, **({"Tags": tags} if tags else {})})
        physical_id = "|".join(
            (request["ResourceId"], request["ScalableDimension"], request["ServiceNamespace"])
        )
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Deregisters the target; one that is gone already counts as deleted."""
        resource_id, dimension, namespace = physical_id.split("|")
        identity: dict[str, Any] = dict(zip(_IDENTITY, (namespace, resource_id, dimension), strict=True))
        _delete(self._api, "DeregisterScalableTarget", identity)


class ScalingPolicyType(AutoScalingType):
    """Ref is the policy's ARN."""

    def create(self, logical_id: str, properties: dict[str, Any], stack: str) -> Provisioned:
        """Puts the policy on its target."""
        request = _call(self._api, "PutScalingPolicy", _with_identity(properties))
        found = self._api.call("DescribeScalingPolicies", {key: request[key] for key in _IDENTITY})
        arn = next(
            row["PolicyARN"] for row in found["ScalingPolicies"] if row["PolicyName"] == request["PolicyName"]
        )
        return arn, {"Arn": arn}

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Deletes the policy; one that is gone already counts as deleted."""
        known = _with_identity(properties)
        _delete(self._api, "DeleteScalingPolicy", {key: known[key] for key in (*_IDENTITY, "PolicyName")})


def autoscaling_types(api: ApplicationAutoScaling) -> dict[str, dict[str, Any]]:
    """The handlers of both types, by type name."""
    return {
        "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTargetType(api).handler(),
        "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicyType(api).handler(),
    }


def _with_identity(properties: dict[str, Any]) -> dict[str, Any]:
    """A policy's properties with its ScalingTargetId (the target's Ref) taken apart."""
    request = copy.deepcopy(properties)
    if "ScalingTargetId" in request:
        resource_id, dimension, namespace = request.pop("ScalingTargetId").split("|")
        request |= dict(zip(_IDENTITY, (namespace, resource_id, dimension), strict=True))
    return request


def _call(api: ApplicationAutoScaling, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    try:
        request = shapes_of(SERVICE).coerce(operation=operation, properties=copy.deepcopy(properties))
        api.call(operation, request)
    except AwsError as error:
        raise ValueError(f"{error.message} (Service: ApplicationAutoScaling, {error.code})") from error
    return request


def _delete(api: ApplicationAutoScaling, operation: str, request: dict[str, Any]) -> None:
    try:
        api.call(operation, request)
    except AwsError as error:
        if error.code != "ObjectNotFoundException":
            raise ValueError(error.message) from error
