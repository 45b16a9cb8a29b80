"""Service Quotas: AWS's defaults, and what was applied to the account.

As on AWS, ListServiceQuotas leaves out what was never applied. A request for an increase, for which AWS takes
hours to days, is granted at once.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from botocore.session import get_session

from embedded_cloud.errors import AwsError
from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.sagemaker.shapes import shapes_of

Quota = dict[str, Any]
PAGE = 100  # the most of a page, and its size where nobody asks for less
# The enumerations of SageMaker's model that hold the instance types of each kind of work.
_SAGEMAKER = {
    "TrainingInstanceType": ("training job usage", "spot training job usage"),
    "ProcessingInstanceType": ("processing job usage",),
    "ProductionVariantInstanceType": ("endpoint usage",),
    "TransformInstanceType": ("transform job usage",),
}
_NAMES = {
    "sagemaker": "Amazon SageMaker",
    "lambda": "AWS Lambda",
    "codebuild": "AWS CodeBuild",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}
_DEFAULTS: dict[str, dict[str, float]] = {
    "sagemaker": {
        "Number of instances across training jobs": 4,
        "Number of instances across active endpoints": 4,
    },
    "lambda": {"Concurrent executions": 1000},
    "codebuild": {
        "Concurrently running builds for Linux/Small environment": 1,
        "Concurrently running builds for ARM/Small environment": 1,
    },
    "vpc": {"VPCs per Region": 5},
}


class ServiceQuotas:
    """Defaults of most SageMaker instance types are 0, as on AWS."""

    def __init__(self) -> None:
        self._applied: dict[tuple[str, str], float] = {}
        self._defaults: dict[str, dict[str, float]] | None = None

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answers an operation as boto3's model describes it. Raises AwsError."""
        known = {
            "ListServiceQuotas": self._list_applied,
            "ListAWSDefaultServiceQuotas": self._list_defaults,
            "RequestServiceQuotaIncrease": self._increase,
        }
        if operation not in known:
            raise AwsError("UnknownOperationException", f"{operation} is not an operation here.")
        shapes = shapes_of("service-quotas")
        try:
            shapes.validate(operation=operation, request=request)
        except AwsError as error:
            raise AwsError("IllegalArgumentException", error.message) from error
        return shapes.answer(operation=operation, record=known[operation](request))

    def _list_applied(self, request: dict[str, Any]) -> dict[str, Any]:
        service = request["ServiceCode"]
        self._of(service)
        found = [(name, value) for (of, name), value in self._applied.items() if of == service]
        return _page([_quota(service, name, value) for name, value in found], request)

    def _list_defaults(self, request: dict[str, Any]) -> dict[str, Any]:
        service = request["ServiceCode"]
        return _page([_quota(service, name, value) for name, value in self._of(service).items()], request)

    def _increase(self, request: dict[str, Any]) -> dict[str, Any]:
        service, code, wanted = request["ServiceCode"], request["QuotaCode"], request["DesiredValue"]
        names = [name for name in self._of(service) if _code(service, name) == code]
        if not names:
            raise AwsError("NoSuchResourceException", f"{service} has no quota {code}.")
        self._applied[service, names[0]] = wanted
        change = {"Id": _code(service, f"{code}{wanted}"), "DesiredValue": wanted, "Status": "APPROVED"}
        return {"RequestedQuota": {**_quota(service, names[0], wanted), **change}}

    def _of(self, service: str) -> dict[str, float]:
        if self._defaults is None:
            self._defaults = {
                **_DEFAULTS,
                "sagemaker": {**dict(_instance_quotas()), **_DEFAULTS["sagemaker"]},
            }
        if service not in self._defaults:
            raise AwsError(
                "NoSuchResourceException", "The request failed because the service does not exist."
            )
        return self._defaults[service]


def _instance_quotas() -> Iterable[tuple[str, float]]:
    model: Any = get_session().get_service_model("sagemaker")
    for shape, usages in _SAGEMAKER.items():
        for instance_type in model.shape_for(shape).enum:
            for usage in usages:
                yield f"{instance_type} for {usage}", 0


def _quota(service: str, name: str, value: float) -> Quota:
    code = _code(service, name)
    return {
        "ServiceCode": service,
        "ServiceName": _NAMES[service],
        "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def _code(service: str, name: str) -> str:
    """Of the form of AWS's codes; another one."""
    return f"L-{hashlib.sha256(f'{service}/{name}'.encode()).hexdigest()[:8].upper()}"


def _page(quotas: list[Quota], request: dict[str, Any]) -> dict[str, Any]:
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidPaginationTokenException", "Invalid NextToken")
    start, size = int(token), request.get("MaxResults", PAGE)
    page: dict[str, Any] = {"Quotas": quotas[start : start + size]}
    if start + size < len(quotas):
        page["NextToken"] = str(start + size)
    return page
