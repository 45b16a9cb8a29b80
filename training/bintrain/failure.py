"""SageMaker's failure file: what DescribeTrainingJob shows as FailureReason."""

from __future__ import annotations

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
        Path(folder, "failure").write_text(message[:LIMIT], encoding="utf-8")
