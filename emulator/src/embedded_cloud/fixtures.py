"""pytest fixtures: a cloud with a bucket of models, and a role that may do all in it; one of each per file.

A conftest.py imports them: `from embedded_cloud.fixtures import cloud, role`.
"""

from collections.abc import Iterator

import pytest

from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import filled_cloud, make_role


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running cloud with the toy server and the filled bucket of embedded_cloud.testing."""
    with filled_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    """The ARN of a role that may do everything."""
    return make_role(cloud, name="all", actions=["*"])
