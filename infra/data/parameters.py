"""SSM parameters that exist from the first deploy on and belong to nobody's template afterwards."""

from aws_cdk import CustomResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.shared.functions import CustomResourceFunction
from infra.shared.grants import parameter_arn


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
        function = CustomResourceFunction(
            self, "Function", module="parameter_seed", runtime=runtime, log_group=log_group
        )
        for name, value in parameters.items():
            arn = parameter_arn(self, name)
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
