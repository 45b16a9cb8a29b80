"""The permissions boundary that an account's owner may demand of every role."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def bound_roles(scope: IConstruct, *, policy: str) -> None:
    """Give every role below `scope`, CDK's own too, the managed policy as its boundary; "" gives none.

    `policy` is an ARN, or the name of a policy of this account.
    """
    if not policy:
        return
    for stack in (child for child in scope.node.children if isinstance(child, Stack)):
        if policy.startswith("arn:"):
            boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", policy)
        else:
            boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", policy)
        iam.PermissionsBoundary.of(stack).apply(boundary)
