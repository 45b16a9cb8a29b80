"""A Lambda of infra/lambdas behind a custom resource."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.lambda_python import acknowledge_runtime
from infra.lambda_role import LambdaRole

LAMBDAS = Path(__file__).parent / "lambdas"


class CustomResourceFunction(lambda_.Function):
    """`module` of infra/lambdas, which needs nothing but what the Lambda runtime has."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        module: str,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            handler=f"{module}.handler",
            code=lambda_.Code.from_asset(str(LAMBDAS), exclude=["*", f"!{module}.py", "!custom_resource.py"]),
            timeout=Duration.minutes(2),
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)
