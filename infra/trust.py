"""No role can be used through a service on behalf of another account (the confused deputy)."""

import jsii
from aws_cdk import Aspects, IAspect, Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct

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
