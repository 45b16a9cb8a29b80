"""An account with nothing missing for each test file, and the doctor asked about it."""

from collections.abc import Iterator

import pytest
from embedded_cloud.cloud import Cloud

from tests.e2e.doctor.doctor_kit import Look, complete_account, documented_policy, looking


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account with nothing missing."""
    with complete_account(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="module")
def look(cloud: Cloud) -> Look:
    """As a user with the documented rights."""
    return looking(cloud, user="doctor", policy=documented_policy())
