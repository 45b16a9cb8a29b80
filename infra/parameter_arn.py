"""The ARN of an SSM parameter of this stage's account and region."""

from aws_cdk import Stack
from constructs import Construct


def parameter_arn(scope: Construct, name: str) -> str:
    """`name` begins with a slash, as in /bincount/dev/model; the ARN has one slash there, not two."""
    return Stack.of(scope).format_arn(
        service="ssm", resource="parameter", resource_name=name.removeprefix("/")
    )
