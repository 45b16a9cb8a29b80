"""The roles of training jobs and of the gate: each reads its inputs and writes its results."""

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from infra.data.network import StageNetwork
from infra.names import Names, Prefix
from infra.settings import Settings
from infra.shared.grants import (
    grant_pull,
    grant_pull_serving_image,
    grant_read,
    grant_read_address,
    grant_volume_encryption,
    grant_write,
)
from infra.shared.sagemaker_role import SageMakerRole


class EvaluationRole(SageMakerRole):
    """Assumed by SageMaker for the processing jobs of this stage."""

    def __init__(
        self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/ProcessingJobs*", network=network)
        grant_read(self, bucket, Prefix.DATASETS, Prefix.MODELS)
        grant_write(self, bucket, Prefix.EVALUATIONS, Prefix.BASELINES)
        grant_volume_encryption(self, bucket)
        grant_pull_serving_image(self, names=names)


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
        grant_read(
            self,
            bucket,
            Prefix.DATASETS,
            Prefix.WEIGHTS,
            Prefix.CHECKPOINTS,
            Prefix.LAUNCH,
            # Here the SDK puts the code of a job from a working tree.
            f"{Prefix.MODELS}{Prefix.LAUNCH}",
        )
        grant_write(self, bucket, Prefix.MODELS, Prefix.CHECKPOINTS)
        if settings.training.weights_uri:
            # They may lie in a bucket that is not the stage's.
            reason = "the setting training.weights_uri names a prefix"
            grant_read_address(self, f"{settings.training.weights_uri}*", reason=reason)
        self._grant_image(settings)

    def _grant_image(self, settings: Settings) -> None:
        stack = Stack.of(self)
        repository = stack.format_arn(
            service="ecr",
            resource="repository",
            resource_name="pytorch",
            account=RegionInfo.get(settings.region).dlc_repository_account,
        )
        grant_pull(self, repository_arn=repository)
