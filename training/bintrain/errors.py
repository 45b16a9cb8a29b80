"""The error for the person that started the job, and SageMaker's failure file, which shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path


class TrainingError(Exception):
    """Something that the caller can correct; its text says what was expected, what came and what to do."""


LIMIT = 1024
"""Characters of the file that SageMaker keeps."""


def write_failure(message: str, *, env: Mapping[str, str]) -> None:
    """Write `message` to `<SM_OUTPUT_DIR>/failure`; nothing without that variable (a run by hand).

    The toolkit writes its own (a stack trace around the message) only when the file is not there yet.
    """
    folder = env.get("SM_OUTPUT_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        # The first of several processes to fail reports the cause; the others fail because of it.
        with (
            contextlib.suppress(FileExistsError),
            Path(folder, "failure").open("x", encoding="utf-8") as file,
        ):
            file.write(message[:LIMIT])
