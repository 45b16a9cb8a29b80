"""Requests of JSON services, held to AWS's own description of them before ministack sees them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.shapes import shapes_of
from embedded_cloud.wire import Json


@dataclass(frozen=True, kw_only=True)
class JsonService:
    """`name` is boto3's name of the service, `error_code` its code for a malformed request."""

    name: str
    error_code: str = "ValidationException"


# By ministack's name: JSON services.
SERVICES: Mapping[str, JsonService] = {
    "ssm": JsonService(name="ssm"),
    "states": JsonService(name="stepfunctions"),
    "events": JsonService(name="events"),
    "logs": JsonService(name="logs", error_code="InvalidParameterException"),
    "dynamodb": JsonService(name="dynamodb"),
    "kms": JsonService(name="kms"),
    "budgets": JsonService(name="budgets", error_code="InvalidParameterException"),
    "ecr": JsonService(name="ecr", error_code="InvalidParameterException"),
    "codebuild": JsonService(name="codebuild", error_code="InvalidInputException"),
}
# Members that AWS's description leaves open and the service does not: service, operation, member.
_NOT_EMPTY = {("ssm", "PutParameter", "Value")}
# A standard parameter, "Working with parameter tiers" in the Systems Manager guide.
_STANDARD_PARAMETER = 4096


def check_json(service: JsonService, *, operation: str, body: bytes) -> None:
    """Raises AwsError where the body is not a JSON object or breaks the operation's shape.

    Members that AWS does not know are passed over, as the services do.
    """
    shapes = shapes_of(service.name)
    if not shapes.operation_exists(operation):
        return  # ministack says that it is unknown
    try:
        request: Json = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AwsError("SerializationException", f"The request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise AwsError("SerializationException", "The request is not a JSON object.")
    try:
        shapes.validate(operation=operation, request=shapes.known(operation=operation, request=request))
    except AwsError as error:
        raise AwsError(service.error_code, error.message) from error
    _check_values(service, operation, request)


def _check_values(service: JsonService, operation: str, request: Mapping[str, Any]) -> None:
    for name, wanted, member in _NOT_EMPTY:
        if (service.name, operation) == (name, wanted) and request.get(member) == "":
            raise AwsError(
                service.error_code,
                f"1 validation error detected: Value '' at '{member[:1].lower()}{member[1:]}' failed to "
                "satisfy constraint: Member must have length greater than or equal to 1",
            )
    if (service.name, operation) == ("ssm", "PutParameter"):
        _check_size(request, error_code=service.error_code)


def _check_size(request: Mapping[str, Any], *, error_code: str) -> None:
    is_standard = request.get("Tier") in (None, "Standard")
    if is_standard and len(str(request["Value"]).encode()) > _STANDARD_PARAMETER:
        raise AwsError(
            error_code,
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a "
            "larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more "
            "information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
            "parameter-store-advanced-parameters.html",
        )
