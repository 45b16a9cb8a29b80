"""`POST /count`: the image goes straight to the SageMaker endpoint, no Lambda in between."""

from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.api.error_responses import integration_responses
from infra.shared.grants import sagemaker_arn

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
BINARY_TYPES = (*IMAGE_TYPES, "image/jpg", "image/pjpeg", "image/x-png")
"""With the old names that the server takes too: what is not listed API Gateway turns into text."""
_FROM_CALLER = {
    "integration.request.header.Accept": "method.request.header.Accept",
    "integration.request.header.Content-Type": "method.request.header.Content-Type",
    # A mapping copies a value and cannot join two: the server takes a bare number, and explain=1 behind it.
    "integration.request.header.X-Amzn-SageMaker-Custom-Attributes": "method.request.querystring.expected",
    # Captured answers are joined to later recounts by this id, which the caller sees as request_id.
    "integration.request.header.X-Amzn-SageMaker-Inference-Id": "context.requestId",
}


def add_count_method(
    *,
    resource: apigateway.Resource,
    endpoint: str,
    options: dict[str, Any],
    validator: apigateway.RequestValidator | None = None,
) -> None:
    """Let POST on `resource` invoke `endpoint` (its name); `options` say which callers may.

    Without `validator` the API gets one, which it can have once.

    The role may invoke this one endpoint. It is named, not referred to: the API exists, and answers 503,
    while no model is approved. (API Gateway sends no source account when it takes a role, so its trust has
    no such condition; only this account can give the role to an API, by iam:PassRole.)
    """
    checks = apigateway.RequestValidatorOptions(validate_request_parameters=True)
    resource.add_method(
        "POST",
        apigateway.AwsIntegration(
            service="runtime.sagemaker",
            path=f"endpoints/{endpoint}/invocations",
            options=apigateway.IntegrationOptions(
                credentials_role=_role(resource, endpoint),  # pyright: ignore[reportArgumentType]
                passthrough_behavior=apigateway.PassthroughBehavior.WHEN_NO_TEMPLATES,
                request_parameters=_FROM_CALLER,
                integration_responses=integration_responses(),
            ),
        ),
        request_parameters={
            source: False for source in _FROM_CALLER.values() if source.startswith("method.request.")
        },
        request_validator=validator,
        request_validator_options=None if validator else checks,
        method_responses=[
            apigateway.MethodResponse(
                status_code=response.status_code,
                response_parameters=dict.fromkeys(response.response_parameters or {}, True),
            )
            for response in integration_responses()
        ],
        **options,
    )


def _role(scope: Construct, endpoint: str) -> iam.Role:
    role = iam.Role(
        scope,
        "InvokeRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),  # pyright: ignore[reportArgumentType]
    )
    arn = sagemaker_arn(scope, "endpoint", endpoint)
    role.add_to_policy(iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[arn]))
    return role
