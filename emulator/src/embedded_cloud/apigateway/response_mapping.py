"""An integration's answer on its way to the caller: which response it becomes, its headers and its body."""

from collections.abc import Mapping
from typing import Any

from embedded_cloud.apigateway.gateway import integration_response
from embedded_cloud.apigateway.velocity import render
from embedded_cloud.sagemaker.runtime import Response

CONFIGURATION_ERROR: Response = (
    500,
    {"Content-Type": "application/json"},
    b'{"message":"Internal server error"}',
)


def mapped_response(integration: dict[str, Any], response: Response, *, request_id: str) -> Response:
    """`response` through the integration response whose pattern matches its status.

    Without a template the body passes as it is; with one, its text is the body and it may set the status.
    """
    status, headers, body = response
    selected = integration_response(integration, status)
    if selected is None:
        return CONFIGURATION_ERROR
    answer = {
        "Content-Type": "application/json",
        **_mapped_headers(selected.get("responseParameters") or {}, headers),
    }
    code = int(selected.get("statusCode") or status)
    templates: dict[str, str] = selected.get("responseTemplates") or {}
    template = templates.get("application/json")
    if not template:
        return code, answer, body
    text = body.decode("utf-8", errors="replace")
    rendered = render(template, body=text, context={"requestId": request_id})
    return rendered.status or code, answer, rendered.text.encode()


def _mapped_headers(parameters: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    known = {key.lower(): value for key, value in headers.items()}
    mapped: dict[str, str] = {}
    for target, source in parameters.items():
        name = target.removeprefix("method.response.header.")
        value = (
            source[1:-1]
            if source.startswith("'")
            else known.get(source.removeprefix("integration.response.header.").lower())
        )
        if value is not None:
            mapped[name] = value
    return mapped
