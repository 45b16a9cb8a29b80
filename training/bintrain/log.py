"""Lines of the job's log, in the form that SageMaker's metric regexes read."""

from __future__ import annotations

import math
import sys
import threading

from bintrain.errors import TrainingError

_SPEAKING = threading.Event()
_SPEAKING.set()


def mute() -> None:
    """Write nothing from here on: the first process of a job speaks for the others."""
    _SPEAKING.clear()


def say(line: str) -> None:
    """Write one whole line in one write, so that an unbuffered log never splits it."""
    if not _SPEAKING.is_set():
        return
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def log_metric(name: str, value: float, *, epoch: int | None = None) -> None:
    """Write `metric=<name> value=<number>[ epoch=<n>]`.

    Raises TrainingError when the value is not finite: no regex reads it, and no model is worth keeping then.
    """
    if not math.isfinite(value):
        raise TrainingError(f"{name} became {value}: the training diverged. Lower --learning-rate")
    say(f"metric={name} value={value:.6g}" + ("" if epoch is None else f" epoch={epoch}"))
