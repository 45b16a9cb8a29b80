"""The role of the recount's transform jobs: reads the model and the images, writes answers, nothing else."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Names
from infra.sagemaker_role import SageMakerRole


class RecountRole(SageMakerRole):
    """Assumed by SageMaker for the models and transform jobs of this stage's recounts."""

    def __init__(self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/TransformJobs*")
        for prefix in ("models/*", "sites/*", "recounts/*/work/images.json"):
            bucket.grant_read(self, prefix)
        bucket.grant_put(self, "recounts/*/answers/*")
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
        # GetAuthorizationToken knows no resources.
        self.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
