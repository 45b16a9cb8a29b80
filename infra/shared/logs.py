"""Log groups that keep their lines for as long as the settings say, also those of the CDK's own Lambdas."""

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class StageLogs(logs.LogGroup):
    """`days` is one of the settings' choices; `name` is None for a generated one, `key` for AWS's own key."""

    def __init__(
        self, scope: Construct, id: str, *, days: int, key: kms.Key | None, name: str | None = None
    ) -> None:
        super().__init__(
            scope,
            id,
            log_group_name=name,
            encryption_key=key,
            retention=_RETENTION[days],
            removal_policy=RemovalPolicy.DESTROY,
        )


FUNCTION = "AWS::Lambda::Function"


def give_logs(stack: Stack, *, days: int, key: kms.Key | None) -> None:
    """Let every function of `stack` that has no log group of ours write into one of its own.

    Lambda makes `/aws/lambda/<function>` where there is none, keeps its lines without end and without the
    stage's key.
    """
    for node in [*stack.node.find_all()]:
        if isinstance(node, CfnResource) and node.cfn_resource_type == FUNCTION and not _has_logs(node):
            name = node.node.path.split("/")[1]
            group = StageLogs(stack, f"{name}Logs", days=days, key=key)
            node.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})


def _has_logs(function: CfnResource) -> bool:
    """By its own configuration, or by a group that the CDK named after it and keeps beside it."""
    if isinstance(function, lambda_.CfnFunction) and function.logging_config is not None:
        return True
    scope: IConstruct | None = function.node.scope
    beside = scope.node.try_find_child("LogGroup") if scope else None
    return isinstance(beside, logs.LogGroup)
