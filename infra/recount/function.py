"""The Lambda of the recount: the client's own code, so that CSV and page are one wherever they are made."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.packaging import lambda_package
from infra.settings import Recount
from infra.shared.functions import PackagedFunction


class RecountFunction(PackagedFunction):
    """`client/bincount` with Pillow, for the Lambda's version `python`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Recount,
        bucket_name: str,
        runtime: lambda_.Runtime,
        python: str,
        log_group: logs.ILogGroup,
    ) -> None:
        directory = lambda_package.build(
            package="client/bincount",
            requirements="client/requirements-recount.txt",
            architecture="arm64",
            python=python,
        )
        super().__init__(
            scope,
            id,
            directory=directory,
            architecture="arm64",
            handler="bincount.recount.handler.handler",
            memory_mib=settings.memory_mib,
            disk_mib=512,
            bucket_name=bucket_name,
            runtime=runtime,
            log_group=log_group,
        )
