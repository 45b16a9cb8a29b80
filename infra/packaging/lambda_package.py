"""Builds the code directory of a Lambda with its hash-locked dependencies; needs pip, no Docker."""

import os
import tempfile
import zipfile
from pathlib import Path

from infra.packaging.bundle_files import copy_files, core_files, digest_of, files_of, source_files
from infra.packaging.requirements import bring, built_once, lines_for

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "lambda"
LEFT_OUT = ("__pycache__", "*.in")
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of an architecture -> that of Linux and of wheels."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can hold (APPNOTE 4.4.6)."""


def build(*, package: str, architecture: str, python: str, requirements: str | None = None) -> Path:
    """The directory with the Python package of the folder `package`, the two of `core/` and what its
    requirements name.

    `package` is relative to the project's root, as is `requirements` (None: requirements.txt in `package`).
    `architecture` is x86_64 or arm64. `python` is the Lambda's version ("3.13"). Cached by content
    under build/lambda. Raises PackageError.
    """
    source = ROOT / package
    wanted = ROOT / requirements if requirements else source / "requirements.txt"
    machine = MACHINES[architecture]
    lines = lines_for(wanted.read_text(encoding="utf-8"), python=python, machine=machine)
    own = {f"{source.name}/{name}": path for name, path in files_of(source, left_out=LEFT_OUT).items()}
    files = {**own, **core_files(), **source_files()}
    target = CACHE / f"{source.name}-{digest_of(files, lines, architecture, python)}"

    def make(folder: Path, scratch: Path) -> None:
        copy_files(files, folder=folder)
        if not lines:  # pip takes no empty list
            return
        bring(
            ["install", "--no-compile", "--target", str(folder)],
            lines=lines, scratch=scratch, python=python, machine=machine,
            fault=f"pip could not install {wanted.name} of {source.name}",
        )  # fmt: skip

    return built_once(target, build=make)


def archive_of(package: Path) -> Path:
    """The zip of what `build` made, beside it and made once: equal bytes for equal files.

    The CDK would copy the folder into each assembly and compress it for each bucket anew.
    """
    target = package.with_name(f"{package.name}.zip")
    if target.is_file():
        return target
    with tempfile.TemporaryDirectory(dir=package.parent) as scratch:
        unfinished = Path(scratch) / "code.zip"
        with zipfile.ZipFile(unfinished, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            for name, path in sorted(files_of(package, left_out=("__pycache__", "*.pyc")).items()):
                entry = zipfile.ZipInfo(name, date_time=_EARLIEST)
                entry.external_attr = path.stat().st_mode << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        os.replace(unfinished, target)
    return target
