"""What a task's integration works with, and what it must know of the execution that it runs in."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from embedded_cloud.aws import Aws

FailTask = Callable[[str, str], Exception]
"""(error, cause) -> the exception that fails a task."""


@dataclass(frozen=True, kw_only=True)
class TaskContext:
    """The state machine's role, and how to learn that the task's result is no longer wanted."""

    role: str
    is_running: Callable[[], bool]
    timed_out: threading.Event = field(default_factory=threading.Event)

    @property
    def abandoned(self) -> bool:
        """True once the execution was stopped or the task's own time is over."""
        return self.timed_out.is_set() or not self.is_running()


_CURRENT: ContextVar[TaskContext] = ContextVar("task_context")


@contextmanager
def entered(context: TaskContext) -> Generator[TaskContext]:
    """Makes `context` the current one for the code inside."""
    token = _CURRENT.set(context)
    try:
        yield context
    finally:
        _CURRENT.reset(token)


def current() -> TaskContext:
    """The context of the task that this thread runs."""
    return _CURRENT.get()


@dataclass(frozen=True, kw_only=True)
class Integration:
    """What an integration works with: clients of this cloud, and `fail`, which makes a task's failure."""

    aws: Aws
    fail: FailTask
