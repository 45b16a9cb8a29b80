"""What a hook into ministack is, and the module of ministack that a list of hooks is about."""

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


@dataclass(frozen=True)
class Module:
    """A module of ministack, by its dotted name; it makes the hooks into it."""

    name: str

    def value(self, name: str, *, reason: str) -> Hook:
        """A hook into a value, a class, or a function whose parameters do not matter here."""
        return Hook(module=self.name, name=name, reason=reason)

    def function(self, name: str, parameters: tuple[str, ...], *, reason: str) -> Hook:
        """A hook into a function that takes exactly these parameters."""
        return Hook(module=self.name, name=name, parameters=parameters, reason=reason)
