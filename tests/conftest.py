"""No test reaches a real account, whatever profile, endpoint or proxy the caller's environment names."""

import pytest
from embedded_cloud.environment import forget_account
from hypothesis import settings

import infra  # noqa: F401  (before any aws_cdk: its cache stays out of the home folder)

forget_account()

# No timed assertion (CONTRIBUTING): by default an example that takes 0.2 s on a busy machine fails.
settings.register_profile("bincount", deadline=None)
settings.load_profile("bincount")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first: one worker takes it while the other goes through the rest."""
    items.sort(key=lambda item: item.path.name != "test_journeys.py")
