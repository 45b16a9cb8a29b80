"""Why an event did not reach a target."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Failure:
    """`code` is one of EventBridge's ERROR_CODEs; `retryable` says whether it tries again."""

    code: str
    message: str
    retryable: bool = False


_FAILURES: ContextVar[list[Failure] | None] = ContextVar("event_failures", default=None)


def begin() -> list[Failure]:
    """From here on `report` adds to the list that is returned."""
    failures: list[Failure] = []
    _FAILURES.set(failures)
    return failures


def report(failure: Failure) -> None:
    """Reports to the delivery that is under way that it failed."""
    failures = _FAILURES.get()
    if failures is not None:
        failures.append(failure)
