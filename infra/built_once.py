"""Folders that take long to make: made once, found again by a name that holds a digest of what went in."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


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
