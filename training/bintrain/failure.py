"""SageMaker's failure file: what DescribeTrainingJob shows as FailureReason."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

LIMIT = 1024
"""Characters of the file that SageMaker keeps."""


def write_failure(message: str, *, env: Mapping[str, str]) -> None:
    """Write `message` to `<SM_OUTPUT_DIR>/failure`; nothing without that variable (a run by hand).

    The toolkit writes its own (a stack trace around the message) only when the file is not there yet.
    """
    folder = env.get("SM_OUTPUT_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        # The first of several processes to fail tells the cause; the others fail because of it.
        with (
            contextlib.suppress(FileExistsError),
            Path(folder, "failure").open("x", encoding="utf-8") as file,
        ):
            file.write(message[:LIMIT])
