"""What pydantic found wrong, in words: what came, and how to correct it."""

from collections.abc import Mapping
from typing import Any


def fault_words(fault: Mapping[str, Any], *, remedies: Mapping[str, str], whole: str) -> str:
    """One fault of a ValidationError as `field: what is wrong, not what came; remedy`.

    `remedies` are by the field's name; `whole` names the place of a fault that belongs to no field.
    """
    path = [str(step) for step in fault["loc"]]
    name = next((step for step in reversed(path) if step in remedies), None)
    if fault["type"] == "extra_forbidden":
        return f"{'.'.join(path)}: there is no such field; take it out"
    message = str(fault["msg"]).removeprefix("Value error, ")
    place = ".".join(path) or whole
    if fault["type"] in ("missing", "value_error"):
        return f"{place}: {message}" + (f"; {remedies[name]}" if name and fault["type"] == "missing" else "")
    remedy = f"; {remedies[name]}" if name else ""
    return f"{place}: {message}, not {_short(fault['input'])}" + remedy


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
