"""The role of the gate's processing job: reads bins and models, writes its verdict, nothing else."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.bucket_access import let_encrypt_volumes, let_read, let_write
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
        explain_wildcards(self, {repository: "CloudFormation names the repository"})
        # GetAuthorizationToken knows no resources.
        self.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
