"""The tags of a stage, on resources and jobs, and how retained resources are found again."""

from aws_cdk import RemovalPolicy, Stack, Tags
from constructs import Construct

from infra.names import PART, Names
from infra.settings import Settings
from infra.settings.stage import SYSTEM_TAG


def stage_tags(settings: Settings) -> dict[str, str]:
    """The project's own and those of the settings, which win. The budget counts by `system`."""
    own = {"project": "bincount", "stage": settings.stage, SYSTEM_TAG: Names(settings.stage).prefix}
    return {**own, **settings.tags}


def job_tags(settings: Settings) -> list[dict[str, str]]:
    """The same as a member `Tags` of a request. No template tags what a state machine starts."""
    return [{"Key": key, "Value": value} for key, value in stage_tags(settings).items()]


def kept_on_destroy(retain: bool) -> RemovalPolicy:
    """The policy of a resource that holds data.

    A kept one goes all the same when the deployment that made it fails: it is empty, and would only be in
    the next deployment's way.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain else RemovalPolicy.DESTROY


def tag_part(resource: Construct) -> None:
    """Tag a bucket or key as `<stack>/<its construct's id>`: CloudFormation names neither predictably."""
    Tags.of(resource).add(PART, f"{Stack.of(resource).stack_name}/{resource.node.id}")
