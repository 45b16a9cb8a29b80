"""One fault of a definition, in the words and at the place that AWS names."""

from dataclasses import dataclass
from typing import Any, cast

SCHEMA = "SCHEMA_VALIDATION_FAILED"
TARGET = "MISSING_TRANSITION_TARGET"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`location` is a path such as `/States/Wait/Seconds`, or None for the whole definition."""

    code: str
    message: str
    location: str | None = None

    @property
    def text(self) -> str:
        """As CreateStateMachine writes it."""
        return f"{self.code}: {self.message} at {self.location or 'null'}"


def schema(message: str, location: str) -> Finding:
    """A fault of SCHEMA_VALIDATION_FAILED, by far the most frequent code."""
    return Finding(code=SCHEMA, message=message, location=location)


def as_object(value: Any) -> dict[str, Any]:
    """The JSON object, or an empty one where `value` is something else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The JSON array, or an empty one where `value` is something else."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON array; empty ones in place of what is none."""
    return [as_object(item) for item in as_list(value)]
