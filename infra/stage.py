"""One stage: its stacks, what holds for every role in them, a synthesis that fails where AWS would later."""

import json
import os
from pathlib import Path

import jsii
from aws_cdk import App, Aspects, Environment, IAspect, Stack, Tags, Validations
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from infra.api.stack import ApiStack
from infra.data.stack import DataStack
from infra.names import Names
from infra.operations.stack import OperationsStack
from infra.recount.stack import RecountStack
from infra.serving.stack import ServingStack
from infra.settings import Settings
from infra.shared.logs import give_logs
from infra.shared.tags import stage_tags
from infra.training.stack import TrainingStack


def build(*, app: App, settings: Settings) -> None:
    """Put the stacks of the stage into `app`; the API stack is there by setting."""
    names = Names(settings.stage)
    # The account is the deployer's; without credentials the templates are made for any account.
    environment = Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=settings.region)
    data = DataStack(app, names.stack("data"), settings=settings, env=environment)
    OperationsStack(app, names.stack("operations"), settings=settings, data=data, env=environment)
    training = TrainingStack(app, names.stack("training"), settings=settings, data=data, env=environment)
    serving = ServingStack(app, names.stack("serving"), settings=settings, data=data, env=environment)
    RecountStack(app, names.stack("recount"), settings=settings, data=data, env=environment)
    if settings.api.enabled:
        ApiStack(
            app, names.stack("api"), settings=settings, bucket=data.bucket, key=data.key, env=environment
        )
    serving.add_stack_dependency(training)  # the registry's events and the pipeline come first
    for stack in app.node.children:
        if isinstance(stack, Stack):
            give_logs(stack, days=settings.log_retention_days, key=data.key)
    trust_only_this_account(app)
    bound_roles(app, policy=settings.security.permissions_boundary)
    for key, value in stage_tags(settings).items():
        Tags.of(app).add(key, value)


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


# CDK only warns of these, but a deploy would fail on them, or worse, take the endpoint along.
FATAL = {"W1001": "refers to a resource that may not exist (its Condition can be false)"}


class SynthesisError(RuntimeError):
    """The templates hold something that must not be deployed."""


def synthesize(app: App) -> None:
    """Write the cloud assembly; raises SynthesisError where one of the FATAL rules is broken.

    cdk-nag's AwsSolutions rules run too: a finding that nobody acknowledged is printed with its id, and the
    CDK raises.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    report = Path(app.synth().directory) / "validation-report.json"
    if not report.is_file():
        raise SynthesisError(f"CDK wrote no {report.name}: is aws-cdk-lib the pinned version?")
    faults = [
        f"{violation['ruleName']} {FATAL[violation['ruleName']]}: {violation['description']}"
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        if violation["ruleName"] in FATAL
    ]
    if faults:
        raise SynthesisError("\n".join(faults))
