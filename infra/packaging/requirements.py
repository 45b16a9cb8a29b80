"""What hash-locked requirements name for one Python and machine, brought once and kept by digest."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement


def built_once(target: Path, *, build: Callable[[Path, Path], None]) -> Path:
    """`target`, which `build(folder, scratch)` makes where it is not there yet: never a half one.

    `folder` does not exist yet when `build` is called; what it puts into `scratch` beside it is thrown away.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch) / "built"
        build(folder, Path(scratch))
        try:
            os.replace(folder, target)
        except OSError:
            if not target.is_dir():  # another synth finished the same folder first
                raise
    return target


# glibc of Amazon Linux 2023 is 2.34; pip takes a wheel of any platform named here.
GLIBC = ("2_34", "2_28", "2_24", "2_17")


class PackageError(RuntimeError):
    """pip could not bring what a lock names; the text ends with pip's own words."""


def lines_for(locked: str, *, python: str, machine: str) -> str:
    """The requirements of the text `locked` whose markers hold, with their hashes, a line each.

    pip would evaluate markers by the interpreter that runs it, so that what is deployed would depend on whose
    machine it is deployed from. `python` is a version such as 3.13, on Linux and `machine` (aarch64, x86_64).
    """
    environment = {name: str(value) for name, value in default_environment().items()}
    environment |= {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "platform_machine": machine,
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


def bring(words: list[str], *, lines: str, scratch: Path, python: str, machine: str, fault: str) -> None:
    """Let pip bring the requirements `lines` (of `lines_for`), wheels only, each with a locked hash.

    `words` are pip's verb and where to put it; the list is written into `scratch`.
    Raises PackageError, which begins with `fault`.
    """
    chosen = scratch / "requirements.txt"
    chosen.write_text(lines, encoding="utf-8")
    command = [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", str(chosen)]
    command += _wheels_for(python=python, machine=machine)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise PackageError(f"{fault}:\n{(result.stderr or result.stdout).strip()[-2000:]}")


def _wheels_for(*, python: str, machine: str) -> list[str]:
    """pip's flags for wheels of that Python on Linux."""
    platforms = [f"manylinux_{glibc}_{machine}" for glibc in GLIBC] + [f"manylinux2014_{machine}"]
    flags = ["--implementation", "cp", "--python-version", python]
    return flags + [word for platform in platforms for word in ("--platform", platform)]
