"""The request that API Gateway is answering, for the parts that need its id."""

import contextlib
import contextvars
from collections.abc import Generator
from dataclasses import dataclass


@dataclass(kw_only=True)
class CurrentRequest:
    """`id` is `$context.requestId`; `integration_ms` is there once the integration has answered."""

    id: str
    integration_ms: int | None = None


_CURRENT: contextvars.ContextVar[CurrentRequest] = contextvars.ContextVar("gateway_request")


def current() -> CurrentRequest:
    """The request of this task. Raises LookupError outside of one."""
    return _CURRENT.get()


@contextlib.contextmanager
def entered(request: CurrentRequest) -> Generator[None]:
    """Makes `request` the current one for the length of a `with` block."""
    token = _CURRENT.set(request)
    try:
        yield
    finally:
        _CURRENT.reset(token)
