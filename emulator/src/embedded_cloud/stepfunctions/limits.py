"""The size limit of a state's input, output and result."""

import json
from collections.abc import Callable
from typing import Any

MAX_BYTES = (
    262_144  # Step Functions quota: 256 KiB of UTF-8 for a task's, state's or execution's input or result
)


def check_size(value: Any, *, what: str, fail: Callable[[str, str], Exception]) -> None:
    """Raises `fail("States.DataLimitExceeded", …)` where `value` as JSON is larger than Step Functions
    carries.
    """
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8"))
    if size > MAX_BYTES:
        raise fail(
            "States.DataLimitExceeded",
            f"{what} has {size} bytes and exceeds the maximum number of {MAX_BYTES} bytes service limit.",
        )
