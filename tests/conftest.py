"""No test reaches a real account, whatever profile, endpoint or proxy the caller's environment names."""

import pytest

import infra  # noqa: F401  (before any aws_cdk: its cache stays out of the home folder)
from local.environment import forget_account

forget_account()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first: one worker takes it while the other goes through the rest."""
    items.sort(key=lambda item: item.path.name != "test_journeys.py")
