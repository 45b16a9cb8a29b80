"""A Lambda with its dependencies: a package of this project and its locked wheels."""

from pathlib import Path

from aws_cdk import Duration, Size
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.lambda_python import acknowledge_runtime
from infra.lambda_role import LambdaRole

_ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}


class PackagedFunction(lambda_.Function):
    """`directory` is what infra/lambda_package.py built for `architecture` (x86_64 or arm64).

    It works on the bucket in its environment's BUCKET, for 15 minutes at most (Lambda's limit). `own_role` is
    its role, to grant more to. `disk_mib` None: Lambda's default.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        directory: Path,
        architecture: str,
        handler: str,
        memory_mib: int,
        disk_mib: int | None = None,
        bucket_name: str,
        runtime: lambda_.Runtime,
        log_group: logs.ILogGroup,
    ) -> None:
        role = LambdaRole(scope, f"{id}Role", log_group=log_group)
        super().__init__(
            scope,
            id,
            role=role,  # pyright: ignore[reportArgumentType]
            runtime=runtime,
            architecture=_ARCHITECTURES[architecture],
            handler=handler,
            # The directory's name is a digest of all that went in; pip's own records would change each time.
            code=lambda_.Code.from_asset(
                str(directory), asset_hash=directory.name, exclude=["__pycache__", "*.pyc"]
            ),
            memory_size=memory_mib,
            ephemeral_storage_size=None if disk_mib is None else Size.mebibytes(disk_mib),
            timeout=Duration.minutes(15),
            environment={"BUCKET": bucket_name},
            log_group=log_group,
        )
        self.own_role = role
        acknowledge_runtime(self)
