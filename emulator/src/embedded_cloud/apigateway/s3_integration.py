"""API Gateway's AWS integration with `s3`: one object, read with the rights of the integration's role."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.apigateway.current_request import current
from embedded_cloud.apigateway.gateway import service_uri
from embedded_cloud.apigateway.request_mapping import integration_headers
from embedded_cloud.apigateway.response_mapping import CONFIGURATION_ERROR, mapped_response
from embedded_cloud.aws import Aws
from embedded_cloud.sagemaker.runtime import Response


class S3Integration:
    """Answers requests whose integration URI is `s3:path/BUCKET/KEY`, with GET; `other` takes all others."""

    def __init__(self, *, aws: Aws, other: Callable[..., Any]) -> None:
        self._aws = aws
        self._other = other

    async def __call__(self, integration: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        """Takes what ministack hands to an integration; returns status, headers, body."""
        uri = service_uri(integration.get("uri", ""))
        if uri is None or uri.service != "s3":
            return await self._other(integration, *arguments, **options)
        _api, _stage_name, _stage, _resource, _path, _method, headers, _body, query, path_params = arguments
        bucket, _, key = uri.rest.partition("/")
        # A part of the path that the caller fills in is not mapped here.
        if uri.verb != "path" or integration.get("httpMethod") != "GET" or not key or "{" in key:
            return CONFIGURATION_ERROR
        request = current()
        mapped = integration_headers(
            integration, headers=headers, query=query, path=path_params, request_id=request.id
        )
        started = time.monotonic()
        role = integration.get("credentials") or ""
        response = await asyncio.to_thread(self._get, role, bucket, key, mapped.get("if-none-match"))
        request.integration_ms = round((time.monotonic() - started) * 1000)
        return mapped_response(integration, response, request_id=request.id)

    def _get(self, role: str, bucket: str, key: str, etag: str | None) -> Response:
        if not role:
            return 403, {"content-type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>"
        condition = {"IfNoneMatch": etag} if etag else {}
        try:
            found = self._aws.client("s3", role=role).get_object(Bucket=bucket, Key=key, **condition)
        except ClientError as error:
            status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
            headers: dict[str, str] = error.response["ResponseMetadata"]["HTTPHeaders"]
            body = b"" if status == 304 else f"<Error><Message>{error}</Message></Error>".encode()
            return status, {"etag": etag, **headers} if etag else headers, body
        return 200, found["ResponseMetadata"]["HTTPHeaders"], found["Body"].read()
