"""What a caller of the API gets for each answer of the endpoint: its count, or an error response of ours."""

from pathlib import Path

from aws_cdk import aws_apigateway as apigateway

from infra.api.gateway_errors import error_template

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
