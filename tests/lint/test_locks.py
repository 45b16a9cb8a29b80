"""Locked packages of several places that meet in one environment have one version."""

import platform
from pathlib import Path

from infra.packaging.requirements import lines_for

ROOT = Path(__file__).resolve().parents[2]


def pins(lock: str) -> set[str]:
    """`package==version` of each line of the hash-locked file that this interpreter would install."""
    python = ".".join(platform.python_version_tuple()[:2])
    lines = lines_for((ROOT / lock).read_text(), python=python, machine=platform.machine())
    return {line.split()[0] for line in lines.splitlines()}


def test_a_training_job_changes_nothing_in_the_environment_that_runs_it() -> None:
    """The SageMaker toolkit installs the job's own requirements; here that is the developer's environment."""
    assert pins("training/requirements.txt") <= pins("requirements-dev.txt")
