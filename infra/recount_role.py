"""The role of the recount's transform jobs: reads the model and the images, writes answers, nothing else."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.bucket_access import let_encrypt_volumes, let_read, let_write
from infra.image_pull import NAMED_BY_CLOUDFORMATION, let_pull, serving_repository
from infra.names import Names
from infra.sagemaker_role import SageMakerRole
from infra.stage_network import StageNetwork
from infra.wildcards import explain_wildcards


class RecountRole(SageMakerRole):
    """Assumed by SageMaker for the models and transform jobs of this stage's recounts."""

    def __init__(
        self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/TransformJobs*", network=network)
        let_read(self, bucket, "models/", "sites/", "recounts/*/work/images.json")
        let_write(self, bucket, "recounts/*/answers/")
        let_encrypt_volumes(self, bucket)
        images = serving_repository(self, names=names)
        let_pull(self, repository_arn=images)
        explain_wildcards(self, {images: NAMED_BY_CLOUDFORMATION})
