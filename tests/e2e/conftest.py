"""An embedded cloud with a bucket of models, and a role that may do all in it: one of each per test file."""

from collections.abc import Iterator

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import filled_cloud, make_role


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with filled_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    return make_role(cloud, name="all", actions=["*"])
