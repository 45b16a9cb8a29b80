"""SSM parameters that exist from the first deploy on and belong to nobody's template afterwards."""

from pathlib import Path

from aws_cdk import ArnFormat, CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct


class ParameterSeeds(Construct):
    """Creates each parameter with its first value where it does not exist; never updates one.

    `parameters` maps names to first values.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        parameters: dict[str, str],
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, id)
        function = lambda_.Function(
            self,
            "Function",
            runtime=runtime,
            handler="parameter_seed.handler",
            code=lambda_.Code.from_asset(
                str(Path(__file__).parent / "lambdas"), exclude=["*", "!parameter_seed.py"]
            ),
            timeout=Duration.seconds(60),
            log_group=log_group,
        )
        for name, value in parameters.items():
            arn = Stack.of(self).format_arn(
                service="ssm",
                resource="parameter",
                resource_name=name.removeprefix("/"),
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            )
            function.add_to_role_policy(
                iam.PolicyStatement(actions=["ssm:PutParameter", "ssm:DeleteParameters"], resources=[arn])
            )
            seed = CustomResource(
                self,
                name.rsplit("/", 1)[1].title(),
                service_token=function.function_arn,
                resource_type="Custom::ParameterSeed",
                properties={"Name": name, "Value": value},
            )
            # The function's policy must be there before its first call and until after its last one.
            seed.node.add_dependency(function)
