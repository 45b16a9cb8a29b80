"""The roles of training jobs and of the gate: each reads its inputs and writes its results."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from infra.data.network import StageNetwork
from infra.names import Names
from infra.settings import Settings
from infra.shared.grants import (
    NAMED_BY_CLOUDFORMATION,
    grant_pull,
    grant_read,
    grant_volume_encryption,
    grant_write,
    serving_repository,
)
from infra.shared.nag import explain_wildcards
from infra.shared.sagemaker_role import SageMakerRole


class EvaluationRole(SageMakerRole):
    """Assumed by SageMaker for the processing jobs of this stage."""

    def __init__(
        self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/ProcessingJobs*", network=network)
        grant_read(self, bucket, "datasets/", "models/")
        grant_write(self, bucket, "evaluations/")
        grant_volume_encryption(self, bucket)
        images = serving_repository(self, names=names)
        grant_pull(self, repository_arn=images)
        explain_wildcards(self, {images: NAMED_BY_CLOUDFORMATION})


def deep_learning_container(settings: Settings) -> str:
    """The URI of AWS's PyTorch training image for the stage's region and instance type."""
    info = RegionInfo.get(settings.region)
    tag = settings.training.image_tag.format(accelerator="cu133" if settings.training.has_gpu else "cpu")
    domain = f"dkr.ecr.{settings.region}.{info.domain_suffix}"
    return f"{info.dlc_repository_account}.{domain}/pytorch:{tag}"


class TrainingRole(SageMakerRole):
    """Assumed by SageMaker for the training jobs of this stage."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/TrainingJobs*", network=network)
        grant_volume_encryption(self, bucket)
        # Below models/launch/ the SDK puts the code of a job from a working tree.
        grant_read(self, bucket, "datasets/", "weights/", "checkpoints/", "launch/", "models/launch/")
        grant_write(self, bucket, "models/", "checkpoints/")
        if settings.training.weights_uri:
            self._grant_weights(settings.training.weights_uri)
        self._grant_image(settings)

    def _grant_weights(self, uri: str) -> None:
        """The weights may lie in a bucket that is not the stage's."""
        name, _, prefix = uri.removeprefix("s3://").partition("/")
        bucket = f"arn:{Stack.of(self).partition}:s3:::{name}"
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:ListBucket"], resources=[bucket, f"{bucket}/{prefix}*"]
            )
        )
        explain_wildcards(self, {f":::{name}/{prefix}*": "the setting training.weights_uri names a prefix"})

    def _grant_image(self, settings: Settings) -> None:
        stack = Stack.of(self)
        repository = stack.format_arn(
            service="ecr",
            resource="repository",
            resource_name="pytorch",
            account=RegionInfo.get(settings.region).dlc_repository_account,
        )
        grant_pull(self, repository_arn=repository)
