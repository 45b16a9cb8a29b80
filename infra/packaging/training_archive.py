"""The training code as a tar.gz that is the same, byte for byte, wherever and whenever it is made.

A job without a network finds in it the wheels that the training image does not have.
"""

import gzip
import hashlib
import os
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from infra.packaging.bundle_files import core_files, files_of
from infra.packaging.requirements import bring, built_once, lines_for

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = ("__pycache__", "requirements.in", "excludes.txt", "launch.py", "binlaunch")
WHEELS = "wheels"
"""The folder in the archive for the wheels of jobs without a network."""
JOB_PYTHON = "3.12"
"""The Python of AWS's training images since 2.6; they are for Linux on JOB_MACHINE."""
JOB_MACHINE = "x86_64"


def build(*, room: str, wheels: Path | None = None) -> Path:
    """Pack the folder `room`, its files at the archive's root, and bincount_core; returns
    build/code/<room>.tar.gz.

    SageMaker's toolkit opens the submit directory as a tar.gz (a CDK directory asset is a zip). Owner, mode
    and time are fixed and the gzip stream is stored, not deflated, since deflate differs between zlibs.
    `wheels` is a folder of wheels (of `bring_wheels`) to pack too: then it is <room>-isolated.tar.gz.
    """
    source = ROOT / room
    target = ROOT / "build" / "code" / f"{room}{'-isolated' if wheels else ''}.tar.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as scratch:
        try:
            _write(scratch, {**files_of(source, left_out=LEFT_OUT), **core_files(), **_wheels_of(wheels)})
        except BaseException:
            os.unlink(scratch.name)
            raise
    os.replace(scratch.name, target)
    return target


def bring_wheels(*, requirements: Path, python: str) -> Path:
    """The folder with a wheel for each line of the hash-locked file `requirements`; made once per content.

    `python` is the job's version. Raises PackageError.
    """
    lines = lines_for(requirements.read_text(encoding="utf-8"), python=python, machine=JOB_MACHINE)
    facts = "\n".join((lines, python))
    target = ROOT / "build" / "wheels" / hashlib.sha256(facts.encode()).hexdigest()[:16]

    def make(folder: Path, scratch: Path) -> None:
        bring(
            ["download", "--dest", str(folder)],
            lines=lines, scratch=scratch, python=python, machine=JOB_MACHINE,
            fault="pip could not fetch the wheels of training/requirements.txt for jobs without a network "
            "(training.network_isolation)",
        )  # fmt: skip

    return built_once(target, build=make)


def _wheels_of(folder: Path | None) -> dict[str, Path]:
    return {f"{WHEELS}/{path.name}": path for path in folder.glob("*.whl")} if folder else {}


def _write(target: IO[bytes], files: dict[str, Path]) -> None:
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=0, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = files[name].stat().st_size
            member.mode = 0o644
            with files[name].open("rb") as content:
                archive.addfile(member, content)
