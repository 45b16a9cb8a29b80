"""The role of the gate's processing job: reads bins and models, writes its verdict, nothing else."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.bucket_access import let_encrypt_volumes, let_read, let_write
from infra.image_pull import NAMED_BY_CLOUDFORMATION, let_pull, serving_repository
from infra.names import Names
from infra.sagemaker_role import SageMakerRole
from infra.stage_network import StageNetwork
from infra.wildcards import explain_wildcards


class JudgeRole(SageMakerRole):
    """Assumed by SageMaker for the processing jobs of this stage."""

    def __init__(
        self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket, network: StageNetwork
    ) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/ProcessingJobs*", network=network)
        let_read(self, bucket, "datasets/", "models/")
        let_write(self, bucket, "evaluations/")
        let_encrypt_volumes(self, bucket)
        images = serving_repository(self, names=names)
        let_pull(self, repository_arn=images)
        explain_wildcards(self, {images: NAMED_BY_CLOUDFORMATION})
