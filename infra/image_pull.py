"""The rights to pull an image from ECR, for the roles that SageMaker assumes."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import Names

NAMED_BY_CLOUDFORMATION = "CloudFormation names the repository"


def let_pull(role: iam.Role, *, repository_arn: str) -> None:
    """Allow `role` to pull the images of one repository."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            resources=[repository_arn],
        )
    )
    # GetAuthorizationToken knows no resources.
    role.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))


def serving_repository(scope: Construct, *, names: Names) -> str:
    """ARN pattern of the serving image's repository: CloudFormation names it after the Serving stack."""
    return Stack.of(scope).format_arn(
        service="ecr", resource="repository", resource_name=f"{names.stack('serving')}-*"
    )
