"""A Lambda of infra/lambdas behind a custom resource."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.plain_function import PlainFunction


class CustomResourceFunction(PlainFunction):
    """`module` of infra/lambdas with what every custom resource needs."""

    def __init__(
        self, scope: Construct, id: str, *, module: str, runtime: lambda_.Runtime, log_group: logs.ILogGroup
    ) -> None:
        super().__init__(
            scope,
            id,
            module=module,
            along=("custom_resource",),
            runtime=runtime,
            log_group=log_group,
            timeout=Duration.minutes(2),
        )
