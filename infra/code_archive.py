"""The training code as a tar.gz that is the same, byte for byte, wherever and whenever it is made."""

import gzip
import io
import os
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {"__pycache__", "requirements.in"}


def build(*, room: str) -> Path:
    """Pack the folder `room`, its files at the archive's root; returns build/code/<room>.tar.gz.

    SageMaker's toolkit opens the submit directory as a tar.gz (a CDK directory asset is a zip). Owner, mode
    and time are fixed and the gzip stream is stored, not deflated, since deflate differs between zlibs.
    """
    source = ROOT / room
    target = ROOT / "build" / "code" / f"{room}.tar.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=content, mode="wb", compresslevel=0, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in sorted(source.rglob("*")):
            if path.is_file() and not LEFT_OUT.intersection(path.parts):
                _add(archive, path, path.relative_to(source).as_posix())
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as scratch:
        scratch.write(content.getvalue())
    os.replace(scratch.name, target)
    return target


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    data = path.read_bytes()
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    archive.addfile(member, io.BytesIO(data))
