"""InvokeEndpoint: carries one request to the server behind an endpoint."""

import json
import time
from collections.abc import Mapping

from embedded_cloud.errors import AwsError
from embedded_cloud.hosting.capture import Invocation, now
from embedded_cloud.hosting.connections import ServerGone, ServerTimeout
from embedded_cloud.hosting.endpoint_metrics import RecordMetric, record_invocation
from embedded_cloud.identity import ACCOUNT
from embedded_cloud.sagemaker.endpoints import Endpoints

MAX_BODY_BYTES = 6_291_456  # SageMaker's InvokeEndpoint limit, as botocore's model states it
_FORWARDED = {
    "content-type": "Content-Type",
    "accept": "Accept",
    "x-amzn-sagemaker-custom-attributes": "X-Amzn-SageMaker-Custom-Attributes",
    "x-amzn-sagemaker-inference-id": "X-Amzn-SageMaker-Inference-Id",
}
_MAX_ATTRIBUTES = 1024
Response = tuple[int, dict[str, str], bytes]


def invoke(
    *, endpoints: Endpoints, metric: RecordMetric, name: str, headers: Mapping[str, str], body: bytes
) -> Response:
    """Status, headers and body as SageMaker's runtime answers them; `metric` counts the request.

    `headers` has lower-case keys. An answer of 4xx or 5xx from the container becomes a ModelError (424)
    with the container's own status and text. Raises AwsError for what never reaches the container.
    """
    arrived = time.monotonic()
    try:
        record = endpoints.store.get(name)
    except AwsError:
        raise AwsError("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.") from None
    server = endpoints.server(name)
    if server is None:
        raise AwsError(
            "ValidationError", f"Endpoint {name} of account is {record['EndpointStatus']}, not InService."
        )
    if len(body) > MAX_BODY_BYTES:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value at 'body' failed to satisfy constraint: Member "
            "must have length "
            f"less than or equal to {MAX_BODY_BYTES}",
            status=413,
        )
    _check_attributes(headers.get("x-amzn-sagemaker-custom-attributes", ""))
    forwarded = {target: headers[source] for source, target in _FORWARDED.items() if source in headers}
    started, moment = time.monotonic(), now()
    try:
        status, answer, content = server.invoke(headers=forwarded, body=body)
    except (ServerGone, ServerTimeout) as error:
        status, answer, content = 0, {}, str(error).encode()
    ended = time.monotonic()
    record_invocation(
        metric,
        endpoint=name,
        variant=server.variant,
        status=status,
        model_seconds=ended - started,
        seconds=ended - arrived,
    )
    if status == 0:
        return _model_error(status=0, text=content.decode(), name=name)
    if status >= 400:
        return _model_error(status=status, text=content.decode("utf-8", errors="replace"), name=name)
    answered = _response_headers(answer, variant=server.variant)
    if server.capture:
        kind = answered["content-type"]
        taken = Invocation(time=moment, headers=headers, body=body, answer_type=kind, answer=content)
        server.capture.record(taken)
    return status, answered, content


def _check_attributes(attributes: str) -> None:
    """At most 1,024 ASCII characters, as the API reference says; control characters end a header."""
    if len(attributes) > _MAX_ATTRIBUTES:
        raise AwsError("ValidationError", f"CustomAttributes is longer than {_MAX_ATTRIBUTES} characters.")
    if not attributes.isascii() or not attributes.isprintable():
        raise AwsError("ValidationError", "CustomAttributes has characters that are not printable ASCII.")


def _response_headers(answer: Mapping[str, str], *, variant: str) -> dict[str, str]:
    # A lower-case content-type: ministack rewrites `Content-Type: application/json` to the control plane's
    # type.
    headers = {
        "content-type": answer.get("content-type", "application/octet-stream"),
        "x-Amzn-Invoked-Production-Variant": variant,
    }
    if "x-amzn-sagemaker-custom-attributes" in answer:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = answer["x-amzn-sagemaker-custom-attributes"]
    return headers


def _model_error(*, status: int, text: str, name: str) -> Response:
    side = "client" if 400 <= status < 500 else "server"
    log_group = f"/aws/sagemaker/Endpoints/{name}"
    content = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if side == "client" else "INTERNAL_FAILURE_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{log_group}",
        "Message": f'Received {side} error ({status}) from primary with message "{text}". '
        f"See the log group {log_group} for more information.",
        "OriginalMessage": text,
        "OriginalStatusCode": status,
    }
    return (
        424,
        {"content-type": "application/json", "x-amzn-errortype": "ModelError"},
        json.dumps(content).encode(),
    )
