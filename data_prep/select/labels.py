"""The label in a bin's metadata."""

import json
from collections.abc import Callable
from typing import Any, cast

from bincount_sources.names import MOST


def parse_json(data: bytes, *, join: Callable[[str, Any, Any], Any]) -> Any:
    """The document. `join(name, first, second)` says what a name means that an object has twice.

    Raises ValueError for what is not JSON, or is nested too deeply to be read.
    """

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for name, value in pairs:
            built[name] = join(name, built[name], value) if name in built else value
        return built

    try:
        return json.loads(data, object_pairs_hook=build)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


_LABEL = "EXPECTED_QUANTITY"


class BadLabel(ValueError):
    """The metadata holds no usable count; the text says what it holds."""


def label_of(metadata: bytes) -> int:
    """`EXPECTED_QUANTITY`, a whole number from 0 on. Raises BadLabel: a broken file is not an empty bin."""
    try:
        value = parse_json(metadata, join=_agreed)
    except ValueError as error:
        raise BadLabel(f"not JSON that can be read: {error}") from error
    if not isinstance(value, dict) or _LABEL not in value:
        raise BadLabel(f"no {_LABEL} in it")
    count = cast("dict[str, object]", value)[_LABEL]
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST:
        shown = repr(count)[:40] if isinstance(count, str | int | float) else f"a {type(count).__name__}"
        raise BadLabel(f"{_LABEL} is {shown}, not a whole number from 0 to {MOST}")
    return count


def _agreed(name: str, first: Any, second: Any) -> Any:
    if name == _LABEL and first != second:
        raise ValueError(f"{_LABEL} is there twice, {repr(first)[:20]} and {repr(second)[:20]}")
    return second
