"""The code of a Lambda whose wheels were made for another Python or processor than this machine's."""

import csv
import functools
import io
import zipfile
from collections.abc import Callable
from typing import Any

from packaging.tags import Tag, parse_tag, sys_tags


def with_native_wheels(spawn: Callable[[Any], None]) -> Callable[[Any], None]:
    """ministack's `Worker._spawn`, with code that this machine can run."""

    def run(worker: Any) -> None:
        if worker.config.get("Runtime", "").startswith("python"):
            worker.code_zip = native(worker.code_zip)
        spawn(worker)

    return run


@functools.lru_cache(maxsize=8)
def native(code: bytes) -> bytes:
    """`code` (a zip) without the packages whose wheels do not fit the running interpreter.

    Lambdas run in this interpreter. What is left out is imported from its own packages, which the locks give
    the same versions; the Lambda's own modules and pure wheels are the deployed ones.
    """
    with zipfile.ZipFile(io.BytesIO(code)) as source:
        foreign = _foreign_files(source)
        if not foreign:
            return code
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
            for item in source.infolist():
                if item.filename not in foreign:
                    target.writestr(item, source.read(item), compress_type=zipfile.ZIP_STORED)
        return buffer.getvalue()


def _foreign_files(source: zipfile.ZipFile) -> set[str]:
    fitting = frozenset(sys_tags())
    names = set(source.namelist())
    foreign: set[str] = set()
    for name in names:
        folder, _, file = name.rpartition("/")
        if not folder.endswith(".dist-info") or file != "WHEEL" or _tags(source.read(name)) & fitting:
            continue
        record = source.read(f"{folder}/RECORD").decode()
        foreign |= {row[0] for row in csv.reader(io.StringIO(record)) if row}
    return foreign


def _tags(wheel: bytes) -> frozenset[Tag]:
    lines = (line.partition(":") for line in wheel.decode().splitlines())
    return frozenset(tag for key, _, value in lines if key == "Tag" for tag in parse_tag(value.strip()))
