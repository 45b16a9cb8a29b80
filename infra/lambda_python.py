"""Which Python the Lambdas run on."""

from aws_cdk import aws_lambda as lambda_

from infra.acknowledge import acknowledge

LAMBDA_PYTHON = "3.13"


def lambda_python() -> tuple[lambda_.Runtime, str]:
    """The runtime, and the version to bundle wheels for."""
    return lambda_.Runtime.PYTHON_3_13, LAMBDA_PYTHON


def acknowledge_runtime(function: lambda_.Function) -> None:
    """Tell cdk-nag why the function does not run on the newest Python that the CDK knows."""
    reason = "the locked wheels are made for and tested on this Python; it is raised with them"
    acknowledge(function, rule="AwsSolutions-L1", reason=reason)
