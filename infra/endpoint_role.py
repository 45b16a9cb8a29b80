"""The role of the endpoint: pulls its image, reads its model, writes its logs."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct


class EndpointRole(iam.Role):
    """Assumed by SageMaker for the serving model of this stage."""

    def __init__(self, scope: Construct, id: str, *, bucket: s3.IBucket) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            id,
            assumed_by=iam.ServicePrincipal(  # pyright: ignore[reportArgumentType]
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
        )
        bucket.grant_read(self, "models/*")
        group = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/Endpoints/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                    "logs:DescribeLogStreams",
                ],
                resources=[group],
            )
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],  # the action knows no resources; the namespace bounds it
                conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
            )
        )
