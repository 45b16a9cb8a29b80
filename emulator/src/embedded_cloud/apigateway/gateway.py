"""What ministack's API Gateway does for us, with types."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from embedded_cloud.ministack_hooks.parts import apigateway_v1
from embedded_cloud.sagemaker.runtime import Response


class GatewayError(Protocol):
    """An error of API Gateway itself; `response_type` is the gateway response that it becomes."""

    response_type: str


class ServiceUri(NamedTuple):
    """An integration's URI, `arn:aws:apigateway:<region>:<service>:<verb>/<rest>`."""

    region: str
    service: str
    verb: str
    rest: str


def gateway_error(response_type: str, message: str) -> GatewayError:
    """Makes an error."""
    return apigateway_v1._gw_error(response_type, message)


def answer_of(outcome: Any, request: dict[str, Any]) -> tuple[Response, str | None]:
    """What the caller gets of a response or an error, and the error's type; None where it is none."""
    if isinstance(outcome, apigateway_v1._GatewayError):
        return apigateway_v1._gateway_error_response(outcome, request), outcome.response_type
    return outcome, None


def stage_of(api_id: str, stage_name: str) -> dict[str, Any] | None:
    """ministack's record of a stage; None where the API has none of that name."""
    return apigateway_v1.stages_for_api(api_id).get(stage_name)


def name_of(api_id: str) -> str:
    """An API's name; its id where it is gone."""
    api: dict[str, Any] = apigateway_v1._rest_apis.get(api_id) or {}
    return api.get("name", api_id)


def caller_of(headers: Mapping[str, str], query: Mapping[str, Any]) -> dict[str, str | None]:
    """The caller that signed a request; empty where nobody did."""
    return apigateway_v1._iam_caller_identity(headers, query) or {}


def api_key_of(headers: Mapping[str, str]) -> dict[str, Any]:
    """ministack's record of the API key that a request brings; empty where it brings none that is known."""
    return apigateway_v1._resolve_api_key(apigateway_v1._api_key_from_request(headers)) or {}


def person_of(headers: Mapping[str, str]) -> str | None:
    """The subject of the token of a user pool that a request brings; None where it brings none."""
    given = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
    parts = given.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return None
    try:
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims.get("sub")


def is_binary(media_type: str, binary_types: Sequence[str]) -> bool:
    """Whether a media type is among the API's binary ones, which may be patterns."""
    return apigateway_v1._media_type_matches(media_type, list(binary_types))


def integration_response(integration: dict[str, Any], status: int) -> dict[str, Any] | None:
    """The integration response whose pattern matches the status of what answered; None where none does."""
    return apigateway_v1._select_service_integration_response(integration, status)


def service_uri(uri: str) -> ServiceUri | None:
    """The parts of an integration's URI; None where it names no AWS service."""
    parts = apigateway_v1._parse_service_integration_uri(uri)
    return None if parts is None else ServiceUri(*parts)
