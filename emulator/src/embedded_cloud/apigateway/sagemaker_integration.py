"""API Gateway's AWS integration with `runtime.sagemaker`: image bytes in, JSON out."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from embedded_cloud.apigateway.current_request import current
from embedded_cloud.apigateway.gateway import service_uri
from embedded_cloud.apigateway.request_mapping import integration_body, integration_headers
from embedded_cloud.apigateway.response_mapping import CONFIGURATION_ERROR, mapped_response
from embedded_cloud.errors import AwsError
from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.sagemaker.runtime import Response

Invoke = Callable[[str, Mapping[str, str], bytes], Response]
Authorise = Callable[[str, str, str], bool]


class SageMakerIntegration:
    """Answers requests whose integration URI names `runtime.sagemaker`; `other` takes all others.

    `invoke(endpoint, headers, body)` is the runtime; `authorise(role, action, arn)` says whether the
    integration's role may do it.
    """

    def __init__(self, *, invoke: Invoke, authorise: Authorise, other: Callable[..., Any]) -> None:
        self._invoke = invoke
        self._authorise = authorise
        self._other = other

    async def __call__(self, integration: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Takes what ministack hands to an integration; returns status, headers, body."""
        uri = service_uri(integration.get("uri", ""))
        if uri is None or uri.service != "runtime.sagemaker":
            return await self._other(integration, *arguments, **options)
        _api, _stage_name, _stage, _resource, _path, _method, headers, body, query, path_params = arguments
        match = re.fullmatch(r"endpoints/([^/]+)/invocations", uri.rest)
        if not match:
            return CONFIGURATION_ERROR
        request = current()
        mapped = integration_headers(
            integration, headers=headers, query=query, path=path_params, request_id=request.id
        )
        payload = integration_body(
            body,
            content_type=mapped["content-type"],
            binary_types=options.get("binary_media_types") or [],
        )
        started = time.monotonic()
        response = await asyncio.to_thread(self._call, integration, match.group(1), mapped, payload)
        request.integration_ms = round((time.monotonic() - started) * 1000)
        return mapped_response(integration, response, request_id=request.id)

    def _call(
        self, integration: dict[str, Any], name: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        try:
            arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name}"
            if not self._authorise(integration.get("credentials") or "", "sagemaker:InvokeEndpoint", arn):
                raise AwsError("AccessDeniedException", f"Not authorized to invoke {name}.", status=403)
            return self._invoke(name, headers, body)
        except AwsError as error:
            content = json.dumps({"__type": error.code, "message": error.message}).encode()
            return error.status, {"content-type": "application/json"}, content
