"""Wheels for jobs that have no network: what the training image does not have, for the image's Python."""

import hashlib
from pathlib import Path

from infra.packaging.requirements import bring, built_once, lines_for

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "wheels"
JOB_PYTHON = "3.12"
"""The Python of AWS's training images since 2.6; they are for Linux on JOB_MACHINE."""
JOB_MACHINE = "x86_64"


def build(*, requirements: Path, python: str) -> Path:
    """The folder with a wheel for each line of the hash-locked file `requirements`; made once per content.

    `python` is the job's version. Raises PackageError.
    """
    lines = lines_for(requirements.read_text(encoding="utf-8"), python=python, machine=JOB_MACHINE)
    facts = "\n".join((lines, python))
    target = CACHE / hashlib.sha256(facts.encode()).hexdigest()[:16]

    def make(folder: Path, scratch: Path) -> None:
        bring(
            ["download", "--dest", str(folder)],
            lines=lines, scratch=scratch, python=python, machine=JOB_MACHINE,
            fault="pip could not fetch the wheels of training/requirements.txt for jobs without a network "
            "(training.network_isolation)",
        )  # fmt: skip

    return built_once(target, build=make)
