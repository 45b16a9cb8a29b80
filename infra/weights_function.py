"""The Lambda that stages ImageNet weights in the stage's bucket."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.lambda_python import acknowledge_runtime
from infra.lambda_role import LambdaRole

LAMBDAS = Path(__file__).parent / "lambdas"


class WeightsFunction(lambda_.Function):
    """`infra/lambdas/weights.py`, which needs nothing but what the Lambda runtime has."""

    def __init__(
        self, scope: Construct, id: str, *, runtime: lambda_.Runtime, log_group: logs.ILogGroup
    ) -> None:
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            handler="weights.handler",
            code=lambda_.Code.from_asset(str(LAMBDAS), exclude=["*", "!weights.py"]),
            memory_size=512,
            timeout=Duration.minutes(15),
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)
