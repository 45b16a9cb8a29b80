"""The Lambda that plans, arranges and seals datasets."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.packaging import lambda_package
from infra.settings import DataPrep
from infra.shared.functions import PackagedFunction


class DataPrepFunction(PackagedFunction):
    """`data_prep/` with its dependencies, for the Lambda's version `python`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: DataPrep,
        bucket_name: str,
        runtime: lambda_.Runtime,
        python: str,
        log_group: logs.ILogGroup,
    ) -> None:
        directory = lambda_package.build(
            package="data_prep", architecture=settings.architecture, python=python
        )
        super().__init__(
            scope,
            id,
            directory=directory,
            architecture=settings.architecture,
            handler="data_prep.handler.handler",
            memory_mib=settings.memory_mib,
            bucket_name=bucket_name,
            runtime=runtime,
            log_group=log_group,
        )
