"""`GET /openapi.json`: API Gateway itself answers with the document."""

from typing import Any

from aws_cdk import aws_apigateway as apigateway

from infra.openapi import as_template, openapi

_JSON = "application/json"
_URL = "@url@"


def add_openapi_method(
    *, resource: apigateway.Resource, url: str, auth: str, options: dict[str, Any]
) -> None:
    """Let GET on `resource` answer the OpenAPI document of the API at `url`."""
    # The URL holds references that CloudFormation fills in, and they must not be escaped.
    template = as_template(openapi(url=_URL, auth=auth)).replace(_URL, url)
    resource.add_method(
        "GET",
        apigateway.MockIntegration(
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            request_templates={_JSON: '{"statusCode": 200}'},
            integration_responses=[
                apigateway.IntegrationResponse(status_code="200", response_templates={_JSON: template})
            ],
        ),
        method_responses=[apigateway.MethodResponse(status_code="200")],
        **options,
    )
