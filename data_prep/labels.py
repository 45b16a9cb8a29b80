"""The label in a bin's metadata."""

import json
from typing import cast

_LARGEST = 10_000


class BadLabel(ValueError):
    """The metadata holds no usable count; the text says what it holds."""


def label_of(metadata: bytes) -> int:
    """`EXPECTED_QUANTITY`, a whole number from 0 on. Raises BadLabel: a broken file is not an empty bin."""
    try:
        value = json.loads(metadata)
    except ValueError as error:
        raise BadLabel(f"not JSON: {error}") from error
    if not isinstance(value, dict) or "EXPECTED_QUANTITY" not in value:
        raise BadLabel("no EXPECTED_QUANTITY in it")
    count = cast("dict[str, object]", value)["EXPECTED_QUANTITY"]
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _LARGEST:
        raise BadLabel(f"EXPECTED_QUANTITY is {str(count)[:40]!r}, not a whole number from 0 to {_LARGEST}")
    return count
