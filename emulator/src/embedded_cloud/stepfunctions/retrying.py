"""How long a retrier waits: its own bounds and jitter, which ministack does not know."""

import random
from typing import Any

_DEFAULT_SECONDS = 1
_DEFAULT_RATE = 2.0


def with_delay(retrier: dict[str, Any], *, attempt: int) -> dict[str, Any]:
    """The retrier with the delay before its retry number `attempt` (from 0) as a constant interval.

    IntervalSeconds × BackoffRate^attempt, at most MaxDelaySeconds; with full jitter anything up to that.
    """
    interval = retrier.get("IntervalSeconds", _DEFAULT_SECONDS)
    delay = interval * retrier.get("BackoffRate", _DEFAULT_RATE) ** attempt
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    if retrier.get("JitterStrategy") == "FULL":
        delay = random.uniform(0, delay)
    return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1}
