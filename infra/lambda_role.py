"""The role of a Lambda function: it may log to the stack's own group, and what its caller adds."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct


class LambdaRole(iam.Role):
    """In place of AWSLambdaBasicExecutionRole, which may write to every log group of the account.

    Lambda passes a role only to functions of the role's own account and sends no source account when it
    assumes it, so the trust has no further condition.
    """

    def __init__(self, scope: Construct, id: str, *, log_group: logs.ILogGroup) -> None:
        principal = iam.ServicePrincipal("lambda.amazonaws.com")
        super().__init__(scope, id, assumed_by=principal)  # pyright: ignore[reportArgumentType]
        # The group's ARN ends with ":*" already, which stands for its streams.
        log_group.grant_write(self)
