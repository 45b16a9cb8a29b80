"""Builds the code directory of a Lambda with its hash-locked dependencies; needs pip, no Docker."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from infra.built_once import built_once
from infra.locked import lines_for

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "lambda"
# glibc of Amazon Linux 2023 is 2.34; pip takes a wheel of any platform named here.
GLIBC = ("2_34", "2_28", "2_17")
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of an architecture -> that of Linux and of wheels."""


class PackageError(RuntimeError):
    """pip could not install the dependencies of a Lambda; the text ends with pip's own words."""


def build(*, package: str, architecture: str, python: str | None, requirements: str | None = None) -> Path:
    """The directory with the Python package of the folder `package` and what its requirements name.

    `package` is relative to the project's root, as is `requirements` (None: requirements.txt in `package`).
    `architecture` is x86_64 or arm64. `python` is the Lambda's version ("3.13"); None builds for the running
    interpreter (the embedded cloud runs Lambdas in it). Cached by content under build/lambda.
    Raises PackageError.
    """
    source = ROOT / package
    wanted = ROOT / requirements if requirements else source / "requirements.txt"
    machine = MACHINES[architecture]
    lines = lines_for(wanted.read_text(encoding="utf-8"), python=python, machine=machine)
    key = _digest(source, lines, architecture, python or sys.version)
    target = CACHE / f"{source.name}-{key}"

    def make(folder: Path, scratch: Path) -> None:
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__", "*.in"))
        chosen = scratch / wanted.name
        chosen.write_text(lines, encoding="utf-8")
        _install(chosen, folder, of=source.name, flags=wheels_for(python=python, machine=machine))

    return built_once(target, build=make)


def wheels_for(*, python: str | None, machine: str) -> list[str]:
    """pip's flags for wheels of that Python on Linux, for a `machine` such as x86_64 or aarch64.

    None for those of the running interpreter and machine, which pip takes anyhow.
    """
    if python is None:
        return []
    platforms = [f"manylinux_{glibc}_{machine}" for glibc in GLIBC] + [f"manylinux2014_{machine}"]
    flags = ["--implementation", "cp", "--python-version", python]
    return flags + [word for platform in platforms for word in ("--platform", platform)]


def _install(requirements: Path, target: Path, *, of: str, flags: list[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes", "--target", str(target), *flags]
    result = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if result.returncode:
        words = (result.stderr or result.stdout).strip()[-2000:]
        raise PackageError(f"pip could not install {requirements.name} of {of}:\n{words}")


def _digest(source: Path, *facts: str) -> str:
    digest = hashlib.sha256("\0".join(facts).encode())
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".in":
            digest.update(f"\0{path.relative_to(source)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
