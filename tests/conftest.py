"""No test reaches a real account, whatever profile, endpoint or proxy the caller's environment names."""

import pytest
from embedded_cloud.environment import forget_account
from hypothesis import settings

import infra  # noqa: F401  (before any aws_cdk: its cache stays out of the home folder)

forget_account()

# No timed assertion (CONTRIBUTING): by default an example that takes 0.2 s on a busy machine fails.
settings.register_profile("bincount", deadline=None)
settings.load_profile("bincount")


# These take turns on one deployed stage, in this order: the last starts a pipeline that stages weights.
ON_THE_COMMON_STAGE = ("test_client_and_recount.py", "test_retraining.py", "test_data_preparation.py")


def order_of(item: pytest.Item) -> int:
    """The longest file first, then those that share a stage: the other worker goes through the rest."""
    if item.path.name == "test_journeys.py":
        return 0
    if item.path.name in ON_THE_COMMON_STAGE:
        return 1 + ON_THE_COMMON_STAGE.index(item.path.name)
    return 1 + len(ON_THE_COMMON_STAGE)


def group_of(item: pytest.Item) -> str:
    """What one worker takes as a whole: a file, a stage's journey, or all files of the common stage."""
    if item.path.name in ON_THE_COMMON_STAGE:
        return "common-stage"
    callspec = getattr(item, "callspec", None)
    stage = callspec.params.get("journey", "") if callspec else ""
    return f"{item.path}{stage}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups for `--dist loadgroup`, the longest first."""
    items.sort(key=order_of)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
