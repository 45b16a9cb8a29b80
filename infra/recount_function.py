"""The Lambda of the recount: the client's own code, so that CSV and page are one wherever they are made."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import lambda_package
from infra.packaged_function import PackagedFunction
from infra.settings import Recount


class RecountFunction(PackagedFunction):
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
        architecture = "arm64" if python else "x86_64"
        directory = lambda_package.build(
            package="client/bincount",
            requirements="client/requirements-recount.txt",
            architecture=architecture,
            python=python,
        )
        super().__init__(
            scope,
            id,
            directory=directory,
            architecture=architecture,
            handler="bincount.recount.handler.handler",
            memory_mib=settings.memory_mib,
            disk_mib=512,
            bucket_name=bucket_name,
            runtime=runtime,
            log_group=log_group,
        )
