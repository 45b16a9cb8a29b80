"""The Lambda that plans, arranges and seals datasets."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import lambda_package
from infra.lambda_python import acknowledge_runtime
from infra.lambda_role import LambdaRole
from infra.settings import DataPrep


class DataPrepFunction(lambda_.Function):
    """`data_prep/` with its dependencies. `python` None: for the interpreter that runs this synth."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: DataPrep,
        bucket_name: str,
        runtime: lambda_.Runtime,
        python: str | None,
        log_group: logs.ILogGroup,
    ) -> None:
        directory = lambda_package.build(
            package="data_prep", architecture=settings.architecture, python=python
        )
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            architecture={"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}[
                settings.architecture
            ],
            handler="data_prep.handler.handler",
            # The directory's name is a digest of all that went in; pip's own records would change each time.
            code=lambda_.Code.from_asset(
                str(directory), asset_hash=directory.name, exclude=["__pycache__", "*.pyc"]
            ),
            memory_size=settings.memory_mib,
            timeout=Duration.minutes(15),
            environment={"BUCKET": bucket_name},
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)
