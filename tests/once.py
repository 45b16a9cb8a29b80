"""What a whole test run makes once: its workers are processes, and a synthesis is seconds of CPU in each."""

import fcntl
import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FOLDER = "MADE_ONCE_BY_TESTS"  # the server refuses settings BINCOUNT_… that it does not know


def share_with_workers() -> Callable[[], None]:
    """Give the processes that this one starts a folder of this run; returns what removes it.

    The sources do not change during a run, so a name alone says what was made.
    """
    folder = tempfile.mkdtemp(prefix="bincount-made-once-")
    os.environ[_FOLDER] = folder
    return functools.partial(shutil.rmtree, folder, ignore_errors=True)


def is_shared() -> bool:
    """Whether this process was given such a folder."""
    return _FOLDER in os.environ


def once(*name: Any, make: Callable[[], Any]) -> Any:
    """make()'s answer, as JSON gives it back: the first process that asks makes it, the others wait and read.

    `name` is what `make` depends on. Where it raises, nothing is kept, and the next one tries.
    """
    if not is_shared():
        return json.loads(json.dumps(make()))
    digest = hashlib.sha256(json.dumps(name, sort_keys=True).encode()).hexdigest()
    made = Path(os.environ[_FOLDER], f"{digest}.json")
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_file():
            made.write_text(json.dumps(make()))
        return json.loads(made.read_text())
