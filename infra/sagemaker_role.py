"""What every role that SageMaker assumes for this stage has in common."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


class SageMakerRole(iam.Role):
    """Assumed by SageMaker for this account's own jobs and endpoints; may log to `log_groups`.

    `log_groups` is the name of a log group, or a pattern of such names.
    """

    def __init__(self, scope: Construct, id: str, *, log_groups: str) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            id,
            # Without the condition another account's job could be made to use the role (confused deputy).
            assumed_by=iam.ServicePrincipal(  # pyright: ignore[reportArgumentType]
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
        )
        arn = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=log_groups,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        actions = ("CreateLogGroup", "CreateLogStream", "PutLogEvents", "DescribeLogStreams")
        self.add_to_policy(
            iam.PolicyStatement(actions=[f"logs:{action}" for action in actions], resources=[arn])
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],  # the action knows no resources; the namespace bounds it
                conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
            )
        )
