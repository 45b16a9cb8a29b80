"""Locked packages of several places that meet in one environment have one version."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def pins(lock: str) -> dict[str, str]:
    """{package: version} as this interpreter would install the hash-locked file."""
    found: dict[str, str] = {}
    for line in re.sub(r"\\\n\s*", " ", (ROOT / lock).read_text()).splitlines():
        text = re.split(r"\s+(?=--hash=)", line.strip())[0]
        if text and not text.startswith("#"):
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate():
                found[requirement.name] = str(requirement.specifier)
    return found


def test_a_training_job_changes_nothing_in_the_environment_that_runs_it() -> None:
    """The SageMaker toolkit installs the job's own requirements; here that is the developer's environment."""
    installed = pins("requirements-dev.txt")
    assert pins("training/requirements.txt").items() <= installed.items()
