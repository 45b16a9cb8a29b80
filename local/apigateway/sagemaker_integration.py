"""API Gateway's AWS integration with `runtime.sagemaker`: image bytes in, JSON out."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import apigateway_v1 as gateway

from local.errors import AwsError
from local.sagemaker.runtime import Response

Invoke = Callable[[str, Mapping[str, str], bytes], Response]
Authorise = Callable[[str, str, str], bool]
_OVERRIDE = "$context.responseOverride.status"
_OVERRIDE_VARIABLE = "$responseOverrideStatus"
_MARK = "\x01"


class SageMakerIntegration:
    """Answers requests whose integration URI names `runtime.sagemaker`; `other` takes all others.

    `invoke(endpoint, headers, body)` is the runtime; `authorise(role, action, arn)` tells whether the
    integration's role may do it.
    """

    def __init__(self, *, invoke: Invoke, authorise: Authorise, other: Callable[..., Any]) -> None:
        self._invoke = invoke
        self._authorise = authorise
        self._other = other

    async def __call__(self, integration: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Takes what ministack hands to an integration; returns status, headers, body."""
        spec = gateway._parse_service_integration_uri(integration.get("uri", ""))
        if not spec or spec[1] != "runtime.sagemaker":
            return await self._other(integration, *arguments, **options)
        _api, _stage_name, _stage, _resource, _path, _method, headers, body, query, path_params = arguments
        match = re.fullmatch(r"endpoints/([^/]+)/invocations", spec[3])
        if not match:
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal server error"}'
        request_headers = integration_headers(integration, headers=headers, query=query, path=path_params)
        payload = _payload(body, headers=headers, binary_types=options.get("binary_media_types") or [])
        response = await asyncio.to_thread(self._call, integration, match.group(1), request_headers, payload)
        return mapped_response(integration, response)

    def _call(
        self, integration: dict[str, Any], name: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        try:
            arn = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{name}"
            if not self._authorise(integration.get("credentials") or "", "sagemaker:InvokeEndpoint", arn):
                raise AwsError("AccessDeniedException", f"Not authorized to invoke {name}.", status=403)
            return self._invoke(name, headers, body)
        except AwsError as error:
            content = json.dumps({"__type": error.code, "message": error.message}).encode()
            return error.status, {"content-type": "application/json"}, content


def integration_headers(
    integration: dict[str, Any],
    *,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    path: Mapping[str, str],
) -> dict[str, str]:
    """The headers that reach the runtime, with lower-case keys: Content-Type, and what requestParameters
    map.
    """
    given = {key.lower(): value for key, value in headers.items()}
    mapped = {"content-type": given.get("content-type", "application/json")}
    for target, source in (integration.get("requestParameters") or {}).items():
        place, _, name = target.removeprefix("integration.request.").partition(".")
        value = _source_value(source, headers=given, query=query, path=path)
        if place == "header" and value is not None:
            mapped[name.lower()] = value
    return mapped


def mapped_response(integration: dict[str, Any], response: Response) -> Any:
    """The runtime's answer through the integration responses; templates may set the response override
    status.
    """
    status, headers, body = response
    known = {key.lower(): value for key, value in headers.items()}
    selected = gateway._select_service_integration_response(integration, status)
    if selected is None:
        return 500, {"Content-Type": "application/json"}, b'{"message":"Internal server error"}'
    selected = dict(selected, responseParameters=_literals(selected.get("responseParameters") or {}, known))
    templates = selected.get("responseTemplates") or {}
    selected["responseTemplates"] = {kind: _marked(text) for kind, text in templates.items() if text}
    selected.pop("selectionPattern", None)
    code, answer_headers, content = gateway._service_integration_response(
        {"integrationResponses": {"default": selected}},
        status,
        body.decode("utf-8", "replace"),
        "application/json",
        {},
    )
    text, _, override = content.decode("utf-8").partition(_MARK)
    if override.strip().isdigit():
        code = int(override)
    return code, answer_headers, text.strip().encode() if _MARK in content.decode("utf-8") else content


def _marked(template: str) -> str:
    """ministack's templates know no response override: sets a variable and prints it behind a mark
    instead.
    """
    if _OVERRIDE not in template:
        return template
    return template.replace(_OVERRIDE, _OVERRIDE_VARIABLE) + f"{_MARK}$!{_OVERRIDE_VARIABLE[1:]}"


def _literals(parameters: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """Response parameters with `integration.response.header.X` replaced by the header's value."""
    prefix = "integration.response.header."
    resolved: dict[str, str] = {}
    for target, source in parameters.items():
        if not source.startswith(prefix):
            resolved[target] = source
        elif source.removeprefix(prefix).lower() in headers:
            resolved[target] = f"'{headers[source.removeprefix(prefix).lower()]}'"
    return resolved


def _source_value(
    source: str, *, headers: Mapping[str, str], query: Mapping[str, Any], path: Mapping[str, str]
) -> str | None:
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    place, _, name = source.removeprefix("method.request.").partition(".")
    if place == "header":
        return headers.get(name.lower())
    value = query.get(name) if place == "querystring" else path.get(name)
    return value[-1] if isinstance(value, list) else value


def _payload(body: bytes, *, headers: Mapping[str, str], binary_types: list[str]) -> bytes:
    """The body as API Gateway carries it: bytes of a binary media type as they are, all else as UTF-8
    text.
    """
    given = {key.lower(): value for key, value in headers.items()}
    media_type = given.get("content-type", "application/json").split(";")[0].strip().lower()
    if media_type in binary_types or "*/*" in binary_types:
        return body
    return body.decode("utf-8", errors="replace").encode()
