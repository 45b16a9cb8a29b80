"""The API's error responses: for what API Gateway itself rejects, and for each answer of the endpoint."""

import json
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_apigateway as apigateway


def error_template(code: str, message: str, *, retry_after: int | None = None) -> str:
    """The JSON body as an API Gateway template; `$context.requestId` becomes the request's id.

    `message` is ours and fixed: nothing that AWS says gets through, since that can name account numbers,
    roles and ARNs.
    """
    error: dict[str, str | int] = {"code": code, "message": message, "request_id": "$context.requestId"}
    if retry_after is not None:
        error["retry_after"] = retry_after
    return json.dumps({"error": error})


_FORBIDDEN = (
    "the caller is not allowed this: check method and path, sign the request or send the API key, "
    "and ask the operator for the right to call"
)


@dataclass(frozen=True, kw_only=True)
class GatewayError:
    """`kind` is API Gateway's response type; `status` None keeps that type's own."""

    kind: apigateway.ResponseType
    code: str
    message: str
    status: int | None = None
    retry_after: int | None = None


_TYPES = apigateway.ResponseType
GATEWAY_ERRORS = (
    GatewayError(
        kind=_TYPES.DEFAULT_4_XX,
        code="bad_request",
        message="the request was rejected: check its credentials, headers and path",
    ),
    GatewayError(
        kind=_TYPES.DEFAULT_5_XX, code="internal_error", message="the API failed: its operator has the log"
    ),
    GatewayError(kind=_TYPES.MISSING_AUTHENTICATION_TOKEN, code="forbidden", message=_FORBIDDEN, status=403),
    GatewayError(kind=_TYPES.ACCESS_DENIED, code="forbidden", message=_FORBIDDEN, status=403),
    GatewayError(kind=_TYPES.INVALID_API_KEY, code="forbidden", message=_FORBIDDEN, status=403),
    GatewayError(
        kind=_TYPES.INVALID_SIGNATURE,
        code="bad_signature",
        message="the request's signature does not fit: check secret key, clock and region, and sign last",
        status=403,
    ),
    GatewayError(
        kind=_TYPES.EXPIRED_TOKEN,
        code="bad_signature",
        message="the session of the request's credentials has ended: get new ones",
        status=403,
    ),
    GatewayError(
        kind=_TYPES.REQUEST_TOO_LARGE,
        code="body_too_large",
        message="the image is too large: send at most 6291456 bytes",
        status=413,
    ),
    GatewayError(
        kind=_TYPES.UNSUPPORTED_MEDIA_TYPE,
        code="unsupported_media_type",
        message="this path takes no body of that type: leave Content-Type out",
        status=415,
    ),
    GatewayError(
        kind=_TYPES.THROTTLED,
        code="too_many_requests",
        message="more requests than are allowed: slow down and try again",
        status=429,
        retry_after=1,
    ),
    GatewayError(
        kind=_TYPES.QUOTA_EXCEEDED,
        code="quota_exceeded",
        message="the API key's requests of this day are used up: try again tomorrow, or ask for more",
        status=429,
    ),
    GatewayError(
        kind=_TYPES.INTEGRATION_FAILURE,
        code="upstream_failed",
        message="the endpoint could not be reached: try again",
        status=504,
        retry_after=1,
    ),
    GatewayError(
        kind=_TYPES.INTEGRATION_TIMEOUT,
        code="upstream_failed",
        message="the endpoint did not answer in time: try again",
        status=504,
        retry_after=1,
    ),
)


def answer_errors_as_json(api: apigateway.RestApi) -> None:
    """Give `api` every error response above."""
    for error in GATEWAY_ERRORS:
        template = error_template(error.code, error.message, retry_after=error.retry_after)
        api.add_gateway_response(
            error.kind.response_type.title().replace("_", ""),
            type=error.kind,
            status_code=None if error.status is None else str(error.status),
            templates={"application/json": template},
        )


_VTL = Path(__file__).parent / "templates"
_JSON = "application/json"
_TYPE_HEADER = "method.response.header.Content-Type"
_SAID_HEADER = "method.response.header.X-Bincount-Answer"


def integration_responses() -> list[apigateway.IntegrationResponse]:
    """One for each status of the SageMaker runtime.

    Patterns do not overlap; the last has none and takes all others, so that no error of AWS's own passes as
    it is.
    """
    return [
        apigateway.IntegrationResponse(
            selection_pattern="200",
            status_code="200",
            response_parameters={
                _TYPE_HEADER: "integration.response.header.Content-Type",
                # Whether a person should look: a bare number as text/plain does not say it.
                _SAID_HEADER: "integration.response.header.X-Amzn-SageMaker-Custom-Attributes",
            },
        ),
        # The container answered 4xx or 5xx: its own status and text are inside.
        _error_response(
            "424", pattern="424", template=(_VTL / "model_error.vtl").read_text(encoding="utf-8")
        ),
        # SageMaker itself answered with an error: no such endpoint, throttled, a header too long.
        _error_response(
            "400", pattern="400", template=(_VTL / "sagemaker_error.vtl").read_text(encoding="utf-8")
        ),
        _error_response(
            "413",
            pattern="413",
            template=error_template("body_too_large", "the image is too large: send at most 6291456 bytes"),
        ),
        _error_response(
            "503",
            pattern="429|503",
            template=error_template("overloaded", "the endpoint is busy: try again", retry_after=1),
        ),
        _error_response(
            "502",
            pattern=None,
            template=error_template(
                "upstream_failed",
                "the endpoint failed: try again, and give the operator the request_id if it goes on",
            ),
        ),
    ]


def _error_response(status: str, *, pattern: str | None, template: str) -> apigateway.IntegrationResponse:
    return apigateway.IntegrationResponse(
        selection_pattern=pattern,
        status_code=status,
        response_parameters={_TYPE_HEADER: f"'{_JSON}'"},
        response_templates={_JSON: template},
    )
