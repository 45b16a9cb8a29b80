"""The Data stack: where bins live, what prepares them, and which model and dataset are current."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.data.bucket import StageBucket
from infra.data.key import StageKey
from infra.data.network import StageNetwork
from infra.data.parameters import ParameterSeeds
from infra.monitoring.image_keeper import ImageKeeper
from infra.monitoring.live_accuracy import LiveAccuracy
from infra.names import NO_MODEL, Names, Prefix
from infra.packaging import lambda_package
from infra.settings import Settings
from infra.shared.functions import PackagedFunction, lambda_python
from infra.shared.grants import grant_read, grant_read_address, grant_write
from infra.shared.logs import StageLogs


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
            sends_events=settings.operations.retrain_on_list or settings.capture.keeps_images,
        )
        if settings.capture.keeps_images:
            ImageKeeper(self, "Images", settings=settings, bucket=self.bucket, key=self.key)
        if settings.live.enabled:
            LiveAccuracy(self, "Live", settings=settings, bucket=self.bucket, key=self.key)
        self.network = StageNetwork(self, "Network", settings=settings, key=self.key)
        ParameterSeeds(
            self,
            "Parameters",
            parameters={names.parameter("model"): NO_MODEL, names.parameter("dataset"): NO_MODEL},
            runtime=runtime,
            log_group=logs,
        )
        self.data_prep = self._data_prep(settings, runtime, python, logs)
        self._grant_data_prep(settings)
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)

    def _data_prep(
        self, settings: Settings, runtime: lambda_.Runtime, python: str, logs: StageLogs
    ) -> PackagedFunction:
        """The Lambda that plans, arranges and seals datasets."""
        prep = settings.data_prep
        return PackagedFunction(
            self,
            "DataPrep",
            directory=lambda_package.build(
                package="data_prep", architecture=prep.architecture, python=python
            ),
            architecture=prep.architecture,
            handler="data_prep.handler.handler",
            memory_mib=prep.memory_mib,
            bucket_name=self.bucket.bucket_name,
            runtime=runtime,
            log_group=logs,
        )

    def _grant_data_prep(self, settings: Settings) -> None:
        role = self.data_prep.own_role
        grant_read(role, self.bucket, Prefix.DATASETS, Prefix.RUNS, Prefix.REQUESTS)
        grant_write(role, self.bucket, Prefix.DATASETS, Prefix.RUNS)
        if settings.capture.keeps_images:
            grant_read(role, self.bucket, Prefix.IMAGES)  # labelled ones are a source
        source = settings.data_prep
        # The CDK cannot take the explanation of a resource with blanks: "?" is any one character.
        images = f"s3://{source.source_bucket}/{source.source_prefix}*".replace(" ", "?")
        grant_read_address(role, images, reason="the source holds half a million images")
        # They may lie in any bucket.
        for address in filter(None, (source.file_list, source.labels, source.corrections)):
            grant_read_address(role, address)
        if source.source_key_arn:
            role.add_to_policy(
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=[source.source_key_arn])
            )
