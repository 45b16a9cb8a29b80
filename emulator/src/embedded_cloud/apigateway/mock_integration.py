"""Mock integrations: their response templates are templates, too, which ministack takes as plain text."""

from collections.abc import Callable
from typing import Any

from embedded_cloud.apigateway.current_request import current
from embedded_cloud.apigateway.velocity import render
from embedded_cloud.sagemaker.runtime import Response


def with_templates(invoke: Callable[[dict[str, Any]], Response]) -> Callable[[dict[str, Any]], Response]:
    """`invoke(integration)` is ministack's; the body that it answers is rendered."""

    def answer(integration: dict[str, Any]) -> Response:
        status, headers, body = invoke(integration)
        rendered = render(body.decode(), body="{}", context={"requestId": current().id})
        return rendered.status or status, headers, rendered.text.encode()

    return answer
