"""What holds for every role: the permissions boundary, trust in this account alone."""

import jsii
from aws_cdk import Aspects, IAspect, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

# Services that send the account for which they assume a role. Lambda and API Gateway send none: they pass a
# role only to resources of its own account.
SENDS_ACCOUNT = {
    f"{service}.amazonaws.com"
    for service in ("sagemaker", "states", "events", "scheduler", "codebuild", "vpc-flow-logs")
}


def trust_only_this_account(scope: IConstruct) -> None:
    """Add the condition `aws:SourceAccount` to the trust of every role below `scope`, CDK's own too."""
    Aspects.of(scope).add(_OnlyThisAccount())


@jsii.implements(IAspect)
class _OnlyThisAccount:
    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, iam.CfnRole):
            return
        stack = Stack.of(node)
        trust = stack.resolve(node.assume_role_policy_document)
        for index, statement in enumerate(trust["Statement"]):
            if statement["Principal"].get("Service") in SENDS_ACCOUNT:
                path = f"AssumeRolePolicyDocument.Statement.{index}.Condition.StringEquals.aws:SourceAccount"
                node.add_property_override(path, stack.account)


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


def parameter_arn(scope: Construct, name: str) -> str:
    """`name` begins with a slash, as in /bincount/dev/model; the ARN has one slash there, not two."""
    return Stack.of(scope).format_arn(
        service="ssm", resource="parameter", resource_name=name.removeprefix("/")
    )
