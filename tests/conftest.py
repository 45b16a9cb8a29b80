"""No test reaches a real account, whatever profile, endpoint or proxy the caller's environment names."""

import ctypes
import gc
import os
from collections.abc import Iterator
from typing import Any

# Before anything loads torch, as `bintrain` does it for a job: threads that spin while they wait take the CPU
# from the tests of the other workers. Results are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
from embedded_cloud.environment import forget_account
from hypothesis import settings
from xdist.scheduler.loadscope import LoadScopeScheduling

import infra  # noqa: F401  (before any aws_cdk: its cache stays out of the home folder)
from tests.once import is_shared, share_with_workers

forget_account()

# No timed assertion (CONTRIBUTING): by default an example that takes 0.2 s on a busy machine fails.
settings.register_profile("bincount", deadline=None)
settings.load_profile("bincount")


def pytest_configure(config: pytest.Config) -> None:
    if not is_shared():  # a worker has its controller's
        config.add_cleanup(share_with_workers())


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no collection of garbage need look through it."""
    gc.freeze()


# These take turns on one deployed stage, in this order: the last starts a pipeline that stages weights.
ON_THE_COMMON_STAGE = ("test_client_and_recount.py", "test_retraining.py", "test_data_preparation.py")
# These take turns on the same training runs, in this order: each needs what the one before it left.
ON_THE_COMMON_RUNS = ("test_client_runs.py", "test_experiments.py", "test_interrupted_run.py")
JOURNEYS = "test_journeys.py"


def group_of(nodeid: str) -> str:
    """What one worker takes as a whole: a file, a stage's journey, or the files that share a cloud."""
    path, _, test = nodeid.partition("::")
    name = path.rsplit("/", 1)[-1]
    if name in ON_THE_COMMON_STAGE:
        return "the common stage"
    if name in ON_THE_COMMON_RUNS:
        return "the common runs"
    return path + "".join(test.partition("[")[1:]) if name == JOURNEYS else path


def order_of(item: pytest.Item) -> int:
    """The longest group first, then those that share a cloud: other workers go through the rest."""
    if item.path.name == JOURNEYS:
        return 0
    if item.path.name in ON_THE_COMMON_STAGE:
        return 1 + ON_THE_COMMON_STAGE.index(item.path.name)
    if item.path.name in ON_THE_COMMON_RUNS:
        return 1 + len(ON_THE_COMMON_STAGE) + ON_THE_COMMON_RUNS.index(item.path.name)
    return 1 + len(ON_THE_COMMON_STAGE) + len(ON_THE_COMMON_RUNS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=order_of)


@pytest.fixture(scope="module", autouse=True)
def memory_goes_back() -> Iterator[None]:
    """After a file, what it freed goes back to the system; glibc would keep gigabytes of it in a worker."""
    yield
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class GroupScheduling(LoadScopeScheduling):
    """pytest-xdist's scheduling by file, with the groups of `group_of` in place of files."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)  # unknown where xdist is switched off (-p no:xdist)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling | None:
    """In place of `--dist loadfile` alone; another mode stays what it is."""
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
