"""Wheels for jobs that have no network: what the training image lacks, for the image's Python."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

from infra.built_once import built_once
from infra.lambda_package import PackageError, wheels_for

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "wheels"
JOB_PYTHON = "3.12"
"""The Python of AWS's training images since 2.6; they are for x86_64 Linux."""


def build(*, requirements: Path, python: str | None) -> Path:
    """The folder with a wheel for each line of the hash-locked file `requirements`; made once per content.

    `python` is the job's version; None stands for the running interpreter and machine (the embedded cloud
    runs jobs in it). Raises PackageError.
    """
    lines = _for_python(requirements.read_text(encoding="utf-8"), python)
    facts = "\n".join((lines, python or f"{sys.version} {sys.platform}"))
    target = CACHE / hashlib.sha256(facts.encode()).hexdigest()[:16]

    def make(folder: Path, scratch: Path) -> None:
        chosen = scratch / "requirements.txt"
        chosen.write_text(lines, encoding="utf-8")
        _download(chosen, folder, python)

    return built_once(target, build=make)


def _for_python(locked: str, python: str | None) -> str:
    """The lines whose markers hold in the job. pip would judge them by the interpreter that runs it."""
    environment = {name: str(value) for name, value in default_environment().items()}
    if python is not None:
        environment |= {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "implementation_version": f"{python}.0",
            "platform_machine": "x86_64",
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
        }
    kept: list[str] = []
    for line in re.sub(r"\\\n\s*", " ", locked).splitlines():
        text, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        if not text or text.startswith("#"):
            continue
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            requirement.marker = None
            kept.append(" ".join((str(requirement), *hashes)))
    return "".join(f"{line}\n" for line in kept)


def _download(requirements: Path, target: Path, python: str | None) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes", "--dest", str(target)]
    if python is not None:
        command += wheels_for(python=python, machine="x86_64")
    result = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if result.returncode:
        words = (result.stderr or result.stdout).strip()[-2000:]
        raise PackageError(
            f"pip could not fetch the wheels of training/requirements.txt for jobs without a network "
            f"(training.network_isolation):\n{words}"
        )
