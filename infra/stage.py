"""The stacks of one stage."""

import os

from aws_cdk import App, Environment, Tags

from infra.data_stack import DataStack
from infra.front_stack import FrontStack
from infra.names import Names
from infra.recount_stack import RecountStack
from infra.serving_stack import ServingStack
from infra.settings import Settings
from infra.training_stack import TrainingStack


def build(*, app: App, settings: Settings) -> None:
    """Put the Data, Training, Serving, Recount and (by setting) Front stacks of the stage into `app`."""
    names = Names(settings.stage)
    # The account is the deployer's; without credentials the templates are made for any account.
    environment = Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=settings.region)
    if settings.front.enabled:
        FrontStack(app, names.stack("front"), settings=settings, env=environment)
    data = DataStack(app, names.stack("data"), settings=settings, env=environment)
    training = TrainingStack(app, names.stack("training"), settings=settings, data=data, env=environment)
    serving = ServingStack(app, names.stack("serving"), settings=settings, data=data, env=environment)
    RecountStack(app, names.stack("recount"), settings=settings, data=data, env=environment)
    serving.add_stack_dependency(training)  # the registry's events and the pipeline come first
    for key, value in {"project": "bincount", "stage": settings.stage, **settings.tags}.items():
        Tags.of(app).add(key, value)
