"""The stacks of one stage."""

import os

from aws_cdk import App, Environment, Stack, Tags

from infra.api.stack import ApiStack
from infra.data.stack import DataStack
from infra.names import Names
from infra.operations.stack import OperationsStack
from infra.recount.stack import RecountStack
from infra.serving.stack import ServingStack
from infra.settings import Settings
from infra.shared.iam import bound_roles, trust_only_this_account
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
        ApiStack(app, names.stack("api"), settings=settings, key=data.key, env=environment)
    serving.add_stack_dependency(training)  # the registry's events and the pipeline come first
    for stack in app.node.children:
        if isinstance(stack, Stack):
            give_logs(stack, days=settings.log_retention_days, key=data.key)
    trust_only_this_account(app)
    bound_roles(app, policy=settings.security.permissions_boundary)
    for key, value in stage_tags(settings).items():
        Tags.of(app).add(key, value)
