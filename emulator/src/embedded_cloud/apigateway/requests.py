"""What API Gateway does with every request beside its integration: id, size limit, error responses, log."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from embedded_cloud.apigateway.access_log import AccessLog
from embedded_cloud.apigateway.current_request import CurrentRequest, entered
from embedded_cloud.apigateway.gateway import (
    answer_of,
    api_key_of,
    caller_of,
    gateway_error,
    name_of,
    person_of,
    stage_of,
)
from embedded_cloud.apigateway.metrics import RecordMetric, record_request
from embedded_cloud.sagemaker.runtime import Response

MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's quota for a REST API
_TIME = "%d/%b/%Y:%H:%M:%S +0000"


class GatewayRequests:
    """Replaces ministack's function that answers a request; `execute` is what it calls inside."""

    def __init__(self, *, execute: Callable[..., Any], log: AccessLog, metric: RecordMetric) -> None:
        self._execute = execute
        self._log = log
        self._metric = metric

    async def __call__(
        self,
        api_id: str,
        stage_name: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        owner_account_id: str,
        owner_region: str,
    ) -> Response:
        """Status, headers and body; the headers hold the id that templates and integrations saw."""
        started = time.monotonic()
        request = _request(api_id, stage_name, headers, query_params)
        current = CurrentRequest(id=request["request_id"])
        if request["stage"] is not None and len(body) > MAX_BODY_BYTES:
            outcome = gateway_error("REQUEST_TOO_LARGE", "Request Too Long")
        else:
            with entered(current):
                outcome = await self._execute(
                    request, api_id, stage_name, method, path, headers, body, query_params,
                    owner_account_id, owner_region,
                )  # fmt: skip
        return self._answer(outcome, request, method, started=started, integration_ms=current.integration_ms)

    def denied(
        self, api_id: str, stage_name: str, method: str, headers: dict[str, str], query: dict[str, Any]
    ) -> Response:
        """The answer to a caller whose policies do not allow the call."""
        request = _request(api_id, stage_name, headers, query)
        error = gateway_error("ACCESS_DENIED", "User is not authorized to access this resource")
        return self._answer(error, request, method, started=time.monotonic(), integration_ms=None)

    def _answer(
        self,
        outcome: Any,
        request: dict[str, Any],
        method: str,
        *,
        started: float,
        integration_ms: int | None,
    ) -> Response:
        (status, headers, body), error_type = answer_of(outcome, request)
        milliseconds = round((time.monotonic() - started) * 1000)
        values = {
            "requestTime": time.strftime(_TIME, time.gmtime()),
            "requestId": request["request_id"],
            "httpMethod": method,
            "resourcePath": request["resource_path"],
            "status": status,
            "error.responseType": error_type,
            "responseLength": len(body),
            "responseLatency": milliseconds,
            "integrationLatency": integration_ms,
            **_identity(request["headers"], request["query_params"]),
            # Of the authorizer, which a request that it refuses does not leave.
            "authorizer.claims.sub": None if error_type else person_of(request["headers"]),
        }
        self._log.write(request["stage"] or {}, values)
        if request["stage"] is not None:
            record_request(
                self._metric,
                api=name_of(request["api_id"]),
                stage=request["stage_name"],
                status=status,
                milliseconds=milliseconds,
                integration_ms=integration_ms,
            )
        return status, {**headers, "x-amzn-requestid": request["request_id"]}, body


def _request(
    api_id: str, stage_name: str, headers: Mapping[str, str], query: Mapping[str, Any]
) -> dict[str, Any]:
    """What ministack knows of a request while it answers it."""
    return {
        "api_id": api_id,
        "stage_name": stage_name,
        "stage": stage_of(api_id, stage_name),
        "headers": headers or {},
        "query_params": query or {},
        "path_params": {},
        "resource_path": "",
        "request_id": str(uuid.uuid4()),
    }


def _identity(headers: dict[str, str], query: dict[str, Any]) -> dict[str, Any]:
    return {
        "identity.userArn": caller_of(headers, query).get("userArn"),
        "identity.apiKeyId": api_key_of(headers).get("id"),
        "identity.sourceIp": "127.0.0.1",  # nothing else can reach this cloud
    }
