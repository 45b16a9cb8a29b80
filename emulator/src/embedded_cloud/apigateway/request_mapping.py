"""What reaches an integration: mapped headers, and the body as its media type asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from embedded_cloud.apigateway.gateway import is_binary

DEFAULT_TYPE = "application/json"


def integration_headers(
    integration: Mapping[str, Any],
    *,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    path: Mapping[str, str],
    request_id: str,
) -> dict[str, str]:
    """The headers that reach the integration, with lower-case keys: Content-Type, Accept (JSON where the
    mapping names none), and what `requestParameters` maps.
    """
    given = {key.lower(): value for key, value in headers.items()}
    mapped = {"content-type": given.get("content-type", DEFAULT_TYPE), "accept": DEFAULT_TYPE}
    parameters: dict[str, str] = integration.get("requestParameters") or {}
    for target, source in parameters.items():
        place, _, name = target.removeprefix("integration.request.").partition(".")
        value = request_id if source == "context.requestId" else _value(source, given, query, path)
        if place == "header" and value is not None:
            mapped[name.lower()] = value
    return mapped


def integration_body(body: bytes, *, content_type: str | None, binary_types: Sequence[str]) -> bytes:
    """Bytes of a binary media type as they are; all else as UTF-8 text, so other bytes are lost.

    The table "API request content type conversions" of the API Gateway developer guide.
    """
    if is_binary(content_type or DEFAULT_TYPE, binary_types):
        return body
    return body.decode("utf-8", errors="replace").encode()


def _value(
    source: str, headers: Mapping[str, str], query: Mapping[str, Any], path: Mapping[str, str]
) -> str | None:
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    place, _, name = source.removeprefix("method.request.").partition(".")
    if place == "header":
        return headers.get(name.lower())
    if place != "querystring":
        return path.get(name)
    value: str | list[str] | None = query.get(name)
    return value[-1] if isinstance(value, list) else value
