"""Which Python the Lambdas of a stage run on."""

import sys

from aws_cdk import aws_lambda as lambda_

from infra.acknowledge import acknowledge
from infra.settings import Settings

LAMBDA_PYTHON = "3.13"


def lambda_python(settings: Settings) -> tuple[lambda_.Runtime, str | None]:
    """The runtime, and the version to bundle wheels for (None: this interpreter's).

    The embedded cloud runs Lambdas in its own interpreter, so their wheels must fit that one.
    """
    if settings.stage != "local":
        return lambda_.Runtime.PYTHON_3_13, LAMBDA_PYTHON
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return lambda_.Runtime(f"python{version}", lambda_.RuntimeFamily.PYTHON), None


def acknowledge_runtime(function: lambda_.Function) -> None:
    """Tell cdk-nag why the function does not run on the newest Python that the CDK knows."""
    reason = "the locked wheels are made for and tested on this Python; it is raised with them"
    acknowledge(function, rule="AwsSolutions-L1", reason=reason)
