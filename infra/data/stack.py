"""The Data stack: where bins live, what prepares them, and which model and dataset are current."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.data.bucket import StageBucket
from infra.data.function import DataPrepFunction
from infra.data.key import StageKey
from infra.data.network import StageNetwork
from infra.data.parameters import ParameterSeeds
from infra.names import NO_MODEL, Names
from infra.settings import Settings
from infra.shared.functions import lambda_python
from infra.shared.grants import grant_read, grant_write
from infra.shared.logs import StageLogs
from infra.shared.nag import explain_wildcards


class DataStack(Stack):
    """Bucket, seeded parameters, data-preparation Lambda."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, **kwargs: object) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        runtime, python = lambda_python()
        retain = settings.retain_data
        with_key = settings.storage.encryption == "kms"
        self.key = StageKey(self, "Key", name=names.prefix, retain=retain) if with_key else None
        logs = StageLogs(self, "Logs", days=settings.log_retention_days, key=self.key)
        self.bucket = StageBucket(
            self,
            "Bucket",
            settings=settings.storage,
            retain=retain,
            key=self.key,
            sends_events=settings.operations.retrain_on_list,
        )
        self.network = StageNetwork(self, "Network", settings=settings, key=self.key)
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
        role = self.data_prep.own_role
        grant_read(role, self.bucket, "datasets/", "runs/", "requests/")
        grant_write(role, self.bucket, "datasets/", "runs/")
        source = settings.data_prep
        # The CDK cannot take the explanation of a resource with blanks: "?" is any one character.
        keys = f"{source.source_prefix}*".replace(" ", "?")
        self._grant_data_prep_read(source.source_bucket, keys)
        explain_wildcards(
            role, {f":::{source.source_bucket}/{keys}": "the source holds half a million images"}
        )
        for address in filter(None, (source.file_list, source.labels)):  # they may lie in any bucket
            bucket, _, key = address.removeprefix("s3://").partition("/")
            self._grant_data_prep_read(bucket, key)
        if source.source_key_arn:
            role.add_to_policy(
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=[source.source_key_arn])
            )

    def _grant_data_prep_read(self, name: str, keys: str) -> None:
        bucket = f"arn:{self.partition}:s3:::{name}"
        self.data_prep.own_role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:ListBucket"], resources=[bucket, f"{bucket}/{keys}"]
            )
        )
