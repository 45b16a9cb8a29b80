"""Log groups of the CDK's own Lambdas, which would log into groups that nobody made."""

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from infra.stage_logs import StageLogs

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
