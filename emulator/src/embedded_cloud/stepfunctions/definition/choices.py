"""The rules of a Choice state."""

import re
from collections.abc import Iterator
from typing import Any

from embedded_cloud.stepfunctions.definition.fields import check_language
from embedded_cloud.stepfunctions.definition.findings import Finding, as_object, as_objects, schema

_TYPES = ("String", "Numeric", "Timestamp")
_COMPARES = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
_COMPARATORS = frozenset(
    [f"{kind}{compare}{path}" for kind in _TYPES for compare in _COMPARES for path in ("", "Path")]
    + ["BooleanEquals", "BooleanEqualsPath", "StringMatches"]
    + ["IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"]
)
_JOINS = ("And", "Or", "Not")
_AROUND = frozenset({"Next", "Comment", "Assign", "Output"})


def check_choices(state: dict[str, Any], *, language: str, path: str) -> Iterator[Finding]:
    """Yields what is wrong with a Choice state's rules."""
    choices = as_objects(state.get("Choices"))
    if not choices:
        yield schema("Expected value of field 'Choices' to be a non-empty array", f"{path}/Choices")
        return
    for index, rule in enumerate(choices):
        where = f"{path}/Choices[{index}]"
        if "Next" not in rule:
            yield schema("Missing required field 'Next'", where)
        yield from check_language(rule, language=language, path=where)
        body = {name: value for name, value in rule.items() if name not in _AROUND}
        yield from _check_jsonata(body, where) if language == "JSONata" else _check_rule(body, where)


def _check_jsonata(body: dict[str, Any], path: str) -> Iterator[Finding]:
    if "Condition" not in body:
        yield schema("Missing required field 'Condition'", path)
    for name in body:
        if name not in ("Condition", "Variable"):  # the latter is reported as a field of the other language
            yield schema(f"Field '{name}' is not supported", path)


def _check_rule(body: dict[str, Any], path: str) -> Iterator[Finding]:
    joins = [name for name in _JOINS if name in body]
    if joins:
        nested = as_objects(body[joins[0]]) or [as_object(body[joins[0]])]
        for index, rule in enumerate(nested):
            yield from _check_rule(rule, f"{path}/{joins[0]}[{index}]")
        return
    comparators = [name for name in body if name in _COMPARATORS]
    for name in body:
        if name not in _COMPARATORS and name not in ("Variable", "Condition"):
            yield schema(f"Field '{name}' is not supported", path)
    if "Variable" not in body:
        yield schema("Missing required field 'Variable'", path)
    elif not re.match(r"\$", str(body["Variable"])):
        yield schema("The value for the field 'Variable' must be a valid JSONPath", f"{path}/Variable")
    if len(comparators) != 1:
        yield schema("Expected exactly one comparison operator", path)
