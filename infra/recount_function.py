"""The Lambda of the recount: the client's own code, so that CSV and page are one wherever they are made."""

from aws_cdk import Duration, Size
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import lambda_package
from infra.lambda_python import acknowledge_runtime
from infra.lambda_role import LambdaRole
from infra.settings import Recount


class RecountFunction(lambda_.Function):
    """`client/bincount` with Pillow. `python` None: for the interpreter that runs this synth."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Recount,
        bucket_name: str,
        runtime: lambda_.Runtime,
        python: str | None,
        log_group: logs.ILogGroup,
    ) -> None:
        directory = lambda_package.build(
            package="client/bincount",
            requirements="client/requirements-recount.txt",
            architecture="arm64" if python else "x86_64",
            python=python,
        )
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            architecture=lambda_.Architecture.ARM_64 if python else lambda_.Architecture.X86_64,
            handler="bincount.recount.handler.handler",
            # The directory's name is a digest of all that went in; pip's own records would change each time.
            code=lambda_.Code.from_asset(
                str(directory), asset_hash=directory.name, exclude=["__pycache__", "*.pyc"]
            ),
            memory_size=settings.memory_mib,
            ephemeral_storage_size=Size.mebibytes(512),
            timeout=Duration.minutes(15),
            environment={"BUCKET": bucket_name},
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)
