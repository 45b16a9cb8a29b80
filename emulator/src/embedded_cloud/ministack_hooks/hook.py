"""What a hook into ministack is."""

from dataclasses import dataclass


class HookError(Exception):
    """ministack is not what this code was written for."""


@dataclass(frozen=True, kw_only=True)
class Hook:
    """A private name in ministack; `parameters` are the names of a function's, or None for a plain value."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None
    reason: str
