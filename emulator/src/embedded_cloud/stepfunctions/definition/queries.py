"""The expressions in a state: JSONata that can be read and asks only for what is there, and paths."""

import re
from collections.abc import Iterator
from typing import Any, cast

import jsonata

from embedded_cloud.stepfunctions.definition.fields import JSONPATH_ONLY
from embedded_cloud.stepfunctions.definition.findings import Finding, schema
from embedded_cloud.stepfunctions.definition.top_level_names import top_level_names

_NESTED = ("Branches", "ItemProcessor", "Iterator")  # states of their own, checked for themselves
_RESULT = re.compile(r"\$states\.result\b")
_ERROR = re.compile(r"\$states\.errorOutput\b")
# Where a state has a result: after its work. Everything else is evaluated before.
_AFTER = ("Output", "Assign")


def check_queries(state: dict[str, Any], *, language: str, path: str) -> Iterator[Finding]:
    """Yields what is wrong with the expressions of a state, its retriers, catchers and rules."""
    for name, value in state.items():
        if name in _NESTED or name == "Comment":
            continue
        where = f"{path}/{name}"
        if language == "JSONata":
            yield from _check_jsonata(value, path=where, field=name)
        else:
            yield from _check_paths(name, value, where)


def _check_jsonata(value: Any, *, path: str, field: str) -> Iterator[Finding]:
    for where, text in _texts(value, path):
        if not (text.startswith("{%") and text.rstrip().endswith("%}")):
            continue
        expression = text.strip()[2:-2].strip()
        try:
            parsed: Any = jsonata.Jsonata(expression)
            names = list(top_level_names(parsed.ast))
        except Exception as error:  # the parser raises its own class and others
            yield Finding(code="INVALID_JSONATA_EXPRESSION", message=str(error), location=where)
            continue
        for name in names:
            message = f"Reference to '{name}' at the top level is not supported."
            yield Finding(code="UNSUPPORTED_JSONATA_EXPRESSION", message=message, location=where)
        plain = re.sub(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'", '""', expression)
        for pattern, there in ((_RESULT, field in _AFTER), (_ERROR, field == "Catch")):
            if pattern.search(plain) and not there:
                name = pattern.pattern.replace("\\", "").removesuffix("b")
                message = f"Reference to '{name}' is not supported in this field"
                yield Finding(code="UNSUPPORTED_JSONATA_EXPRESSION", message=message, location=where)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _texts(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _texts(item, f"{path}[{index}]")


def _check_paths(name: str, value: Any, path: str) -> Iterator[Finding]:
    """`….$` in a payload template holds a path or an intrinsic function; a field for a path holds one."""
    if name in JSONPATH_ONLY and name.endswith("Path") and value is not None and not _is_path(value):
        yield schema(f"The value for the field '{name}' must be a valid JSONPath", path)
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key.endswith(".$") and not (_is_path(item) or str(item).startswith("States.")):
                kinds = "a valid JSONPath or a valid intrinsic function call"
                yield schema(f"The value for the field '{key}' must be {kinds}", f"{path}/{key}")
            elif not key.endswith(".$"):
                yield from _check_paths(key, item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _check_paths("", item, f"{path}[{index}]")


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")
