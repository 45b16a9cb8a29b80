"""An embedded cloud and a role in it for each test file that asks for them; one stage that several share."""

from collections.abc import Iterator

import pytest
from embedded_cloud.fixtures import cloud, role

from tests.e2e.common_stage import CommonStage, common_stage_on_a_cloud

__all__ = ["cloud", "common_stage", "role"]


@pytest.fixture(scope="session")
def common_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommonStage]:
    """One deployed stage that several files share."""
    with common_stage_on_a_cloud(tmp_path_factory.mktemp("common")) as stage:
        yield stage
