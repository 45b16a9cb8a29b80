"""The Data stack: where bins live, what prepares them, and which model and dataset are current."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.data_prep_function import DataPrepFunction
from infra.lambda_python import lambda_python
from infra.names import NO_MODEL, Names
from infra.parameter_seeds import ParameterSeeds
from infra.settings import Settings
from infra.stage_bucket import StageBucket
from infra.stage_logs import StageLogs


class DataStack(Stack):
    """Bucket, seeded parameters, data-preparation Lambda."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, **kwargs: object) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        runtime, python = lambda_python(settings)
        logs = StageLogs(self, "Logs", days=settings.log_retention_days)
        self.bucket = StageBucket(self, "Bucket", retain=settings.retain_data)
        ParameterSeeds(
            self,
            "Parameters",
            parameters={names.parameter("model"): NO_MODEL, names.parameter("dataset"): NO_MODEL},
            runtime=runtime,
            log_group=logs,
        )
        self.data_prep = DataPrepFunction(
            self,
            "DataPrep",
            settings=settings.data_prep,
            bucket_name=self.bucket.bucket_name,
            runtime=runtime,
            python=python,
            log_group=logs,
        )
        self._grant_data_prep(settings)
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)

    def _grant_data_prep(self, settings: Settings) -> None:
        self.bucket.grant_read_write(self.data_prep, "datasets/*")
        self.bucket.grant_read_write(self.data_prep, "runs/*")
        self.bucket.grant_read(self.data_prep, "requests/*")
        source = settings.data_prep
        self._let_data_prep_read(source.source_bucket, f"{source.source_prefix}*")
        if source.file_list:  # it may lie in any bucket
            bucket, _, key = source.file_list.removeprefix("s3://").partition("/")
            self._let_data_prep_read(bucket, key)

    def _let_data_prep_read(self, name: str, keys: str) -> None:
        bucket = f"arn:{self.partition}:s3:::{name}"
        self.data_prep.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:ListBucket"], resources=[bucket, f"{bucket}/{keys}"]
            )
        )
