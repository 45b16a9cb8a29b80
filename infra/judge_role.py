"""The role of the gate's processing job: reads bins and models, writes its verdict, nothing else."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.names import Names
from infra.sagemaker_role import SageMakerRole


class JudgeRole(SageMakerRole):
    """Assumed by SageMaker for the processing jobs of this stage."""

    def __init__(self, scope: Construct, id: str, *, names: Names, bucket: s3.IBucket) -> None:
        super().__init__(scope, id, log_groups="/aws/sagemaker/ProcessingJobs*")
        for prefix in ("datasets/*", "models/*"):
            bucket.grant_read(self, prefix)
        bucket.grant_put(self, "evaluations/*")
        # CloudFormation names the serving image's repository after the Serving stack.
        repository = Stack.of(self).format_arn(
            service="ecr", resource="repository", resource_name=f"{names.stack('serving')}-*"
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                resources=[repository],
            )
        )
        # GetAuthorizationToken knows no resources.
        self.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
