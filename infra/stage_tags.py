"""The tags of a stage: on every resource, and on the jobs that its state machines start."""

from infra.names import Names
from infra.settings import Settings
from infra.settings.stage import SYSTEM_TAG


def stage_tags(settings: Settings) -> dict[str, str]:
    """The project's own and those of the settings, which win. The budget counts by `system`."""
    own = {"project": "bincount", "stage": settings.stage, SYSTEM_TAG: Names(settings.stage).prefix}
    return {**own, **settings.tags}


def job_tags(settings: Settings) -> list[dict[str, str]]:
    """The same as a member `Tags` of a request. No template tags what a state machine starts."""
    return [{"Key": key, "Value": value} for key, value in stage_tags(settings).items()]
