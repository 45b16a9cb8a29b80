"""Application Auto Scaling's API: scalable targets and scaling policies."""

import time
import uuid
from collections.abc import Callable
from typing import Any

from embedded_cloud.errors import AwsError
from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.sagemaker.shapes import shapes_of

SERVICE = "application-autoscaling"
VariantExists = Callable[[str], bool]
_Key = tuple[str, str, str]


class ApplicationAutoScaling:
    """Keeps what is registered and answers it; an endpoint here is one process, so nothing is scaled.

    `variant_exists(resource_id)` says whether `endpoint/<name>/variant/<variant>` is there.
    """

    def __init__(self, *, variant_exists: VariantExists) -> None:
        self._variant_exists = variant_exists
        self._targets: dict[_Key, dict[str, Any]] = {}
        self._policies: dict[tuple[_Key, str], dict[str, Any]] = {}
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
        }

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Does one operation; raises AwsError for what AWS would refuse."""
        if operation not in self._operations:
            raise AwsError(
                "UnknownOperationException", f"The embedded cloud has no operation {operation} of {SERVICE}."
            )
        shapes = shapes_of(SERVICE)
        shapes.validate(operation=operation, request=request)
        return shapes.answer(operation=operation, record=self._operations[operation](request))

    def _register(self, request: dict[str, Any]) -> dict[str, Any]:
        key = _key(request)
        if key[0] == "sagemaker" and not self._variant_exists(key[1]):
            raise AwsError("ValidationException", f"SageMaker variant doesn't exist: {key[1]}")
        target = self._targets.get(
            key, {"CreationTime": time.time(), "ScalableTargetARN": _arn("scalable-target")}
        )
        target.update(request)
        missing = [member for member in ("MinCapacity", "MaxCapacity") if member not in target]
        if missing:
            raise AwsError(
                "ValidationException", f"{' and '.join(missing)} must be given for a new scalable target."
            )
        if target["MinCapacity"] > target["MaxCapacity"]:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        target.setdefault("RoleARN", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{SERVICE}")
        self._targets[key] = target
        return target

    def _deregister(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._registered(request)
        del self._targets[key]
        self._policies = {name: policy for name, policy in self._policies.items() if name[0] != key}
        return {}

    def _describe_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("ResourceIds")
        return {
            "ScalableTargets": [
                target
                for key, target in self._targets.items()
                if key[0] == request["ServiceNamespace"] and (not wanted or key[1] in wanted)
            ]
        }

    def _put_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        name = (self._registered(request), request["PolicyName"])
        new: dict[str, Any] = {
            "PolicyARN": _arn(f"scalingPolicy:{uuid.uuid4()}"),
            "CreationTime": time.time(),
            "Alarms": [],
        }
        self._policies[name] = {**new, **self._policies.get(name, {}), **request}
        return self._policies[name]

    def _delete_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._policies.pop((_key(request), request["PolicyName"]), None) is None:
            raise AwsError("ObjectNotFoundException", f"No scaling policy found: {request['PolicyName']}")
        return {}

    def _describe_policies(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "ScalingPolicies": [
                policy
                for (key, _), policy in self._policies.items()
                if key[0] == request["ServiceNamespace"] and request.get("ResourceId") in (None, key[1])
            ]
        }

    def _registered(self, request: dict[str, Any]) -> _Key:
        key = _key(request)
        if key not in self._targets:
            raise AwsError("ObjectNotFoundException", f"No scalable target registered for {', '.join(key)}")
        return key


def _key(request: dict[str, Any]) -> _Key:
    return request["ServiceNamespace"], request["ResourceId"], request["ScalableDimension"]


def _arn(rest: str) -> str:
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:{rest}"
