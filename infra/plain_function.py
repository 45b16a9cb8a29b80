"""A Lambda of infra/lambdas."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.lambda_python import acknowledge_runtime
from infra.lambda_role import LambdaRole

LAMBDAS = Path(__file__).parent / "lambdas"


class PlainFunction(lambda_.Function):
    """`module` of infra/lambdas and the modules that it imports (`along`); it needs nothing but what the
    Lambda runtime has. `own_role` is its role, to grant more to. `memory_mib` None: Lambda's default."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        module: str,
        along: tuple[str, ...] = (),
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
        timeout: Duration,
        memory_mib: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        files = [f"!{name}.py" for name in (module, *along)]
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            handler=f"{module}.handler",
            code=lambda_.Code.from_asset(str(LAMBDAS), exclude=["*", *files]),
            memory_size=memory_mib,
            environment=environment,
            timeout=timeout,
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)
