"""An embedded cloud and a role in it; no test reaches a real account."""

from pathlib import Path

import pytest
from embedded_cloud.environment import forget_account
from embedded_cloud.fixtures import cloud, role

__all__ = ["cloud", "role"]
HERE = Path(__file__).parent

forget_account()


# Before `-m` chooses among the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies in this folder runs a cloud; what lies in `unit` does not."""
    for item in items:
        if item.path.is_relative_to(HERE) and not item.path.is_relative_to(HERE / "unit"):
            item.add_marker(pytest.mark.e2e)
