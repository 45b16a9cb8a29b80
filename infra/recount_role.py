"""The role of the recount's transform jobs: reads the model and the images, writes answers, nothing else."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.bucket_access import let_encrypt_volumes, let_read, let_write
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
        # CloudFormation names the serving image's repository after the Serving stack.
        images = Stack.of(self).format_arn(
            service="ecr", resource="repository", resource_name=f"{names.stack('serving')}-*"
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                resources=[images],
            )
        )
        explain_wildcards(self, {images: "CloudFormation names the repository"})
        # GetAuthorizationToken knows no resources.
        self.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
