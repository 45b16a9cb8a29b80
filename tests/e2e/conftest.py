"""An embedded cloud and a role in it for each test file that asks for them; one stage that several share."""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.fixtures import cloud, role

from tests.e2e.common_stage import CommonStage, common_stage_on_a_cloud
from tests.e2e.runs_kit import FIRST, call_bincount, cloud_with_runs, register

__all__ = ["cloud", "common_stage", "role"]


@pytest.fixture(scope="session")
def common_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommonStage]:
    """One deployed stage that several files share."""
    with common_stage_on_a_cloud(tmp_path_factory.mktemp("common")) as stage:
        yield stage


@pytest.fixture(scope="session")
def runs_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with training runs of the stage `local`."""
    with cloud_with_runs(tmp_path_factory.mktemp("runs")) as started:
        yield started


@pytest.fixture(scope="session")
def package(runs_cloud: Cloud) -> str:
    """The version that the gate accepted of the first of those runs: its ARN."""
    runs_cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName="bincount-local")
    return register(runs_cloud, FIRST, page=b"the gate's page")


@pytest.fixture
def bincount(runs_cloud: Cloud, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line in tmp_path, on that cloud; `check` is the exit status that it must have."""
    return partial(call_bincount, runs_cloud, folder=tmp_path)
