"""Walks a value beside the shape that AWS's model has for it."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from tests.judges.deploy_time_values import holds_text, is_late
from tests.judges.limits import member, number_verdicts, text_verdicts
from tests.judges.verdicts import Verdict

_TYPES = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool}
Elsewhere = Callable[[str], tuple[bool, Any]]
"""Whether the property at a path goes to another shape than its own, and to which (None: to none)."""


def value_verdicts(shape: Any, value: Any, path: str, elsewhere: Elsewhere | None) -> Iterator[Verdict]:
    """Of a value and all in it; `elsewhere` None: in a task, where an unknown member is a fault."""
    in_states = elsewhere is None
    if is_late(value, in_states) and (shape.type_name != "string" or isinstance(value, str)):
        return
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            yield from _structure(shape, cast("dict[str, Any]", value), path, elsewhere)
        case "list" if isinstance(value, list) or elsewhere is not None:
            inner = shape.member
            while inner.type_name == "list":
                inner = inner.member
            for item in cast("list[Any]", value) if isinstance(value, list) else [value]:
                yield from value_verdicts(inner, item, path, elsewhere)
        case "map" if isinstance(value, dict):
            for name, item in cast("dict[str, Any]", value).items():
                yield from value_verdicts(shape.key, name, f"{path}.{name}", elsewhere)
                yield from value_verdicts(shape.value, item, f"{path}.{name}", elsewhere)
        case "string" if not isinstance(value, bool | int | float):
            yield from text_verdicts(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from number_verdicts(shape, value, path)
        case kind:
            # CloudFormation turns types into one another, and other rules hold them; in a task nobody does.
            wrong = elsewhere is None and not isinstance(value, _TYPES.get(kind, object))
            yield Verdict(path, f"a {kind} is expected, got {value!r}" if wrong else "")


def _structure(
    shape: Any, value: dict[str, Any], path: str, elsewhere: Elsewhere | None
) -> Iterator[Verdict]:
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        inner = member(shape, name)
        if elsewhere is not None:
            moved, target = elsewhere(here)
            inner = target if moved else inner
        if inner is None:
            if elsewhere is None or holds_text(item):
                yield Verdict(here, f"{shape.name} has no such member")
        else:
            yield from value_verdicts(inner, item, here, elsewhere)
