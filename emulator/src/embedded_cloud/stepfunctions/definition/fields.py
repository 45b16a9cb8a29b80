"""Which fields each type of state has, after the Amazon States Language and what AWS was seen to refuse."""

from collections.abc import Iterator
from typing import Any

from embedded_cloud.stepfunctions.definition.findings import Finding, schema

_COMMON = frozenset({"Type", "Comment", "QueryLanguage", "InputPath", "OutputPath", "Output", "Assign"})
_MOVES = frozenset({"Next", "End"})
_WORKS = frozenset({"ResultSelector", "ResultPath", "Parameters", "Arguments", "Retry", "Catch"})
_MAP = frozenset(
    {
        "Iterator",
        "ItemProcessor",
        "Items",
        "ItemsPath",
        "ItemSelector",
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "MaxConcurrency",
        "MaxConcurrencyPath",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
        "Label",
    }
)
_TIMES = frozenset({"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"})
STATE_FIELDS = {
    "Pass": _COMMON | _MOVES | {"Result", "ResultPath", "Parameters"},
    "Task": _COMMON | _MOVES | _WORKS | _TIMES | {"Resource", "Credentials"},
    "Choice": _COMMON | {"Choices", "Default"},
    "Wait": _COMMON | _MOVES | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": _COMMON - {"Assign"},
    "Fail": frozenset(
        {"Type", "Comment", "QueryLanguage", "Error", "ErrorPath", "Cause", "CausePath"},
    ),
    "Parallel": _COMMON | _MOVES | _WORKS | {"Branches"},
    "Map": _COMMON | _MOVES | _WORKS | _MAP,
}
_REQUIRED = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}
JSONPATH_ONLY = frozenset(
    {
        "InputPath",
        "OutputPath",
        "ResultPath",
        "ResultSelector",
        "Parameters",
        "Result",
        "ItemsPath",
        "SecondsPath",
        "TimestampPath",
        "TimeoutSecondsPath",
        "HeartbeatSecondsPath",
        "MaxConcurrencyPath",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentagePath",
        "ErrorPath",
        "CausePath",
        "MaxItemsPath",
        "MaxItemsPerBatchPath",
        "MaxInputBytesPerBatchPath",
        "Variable",
    }
)
JSONATA_ONLY = frozenset({"Arguments", "Output", "Items", "Condition"})
_PARTS = ("ItemReader", "ItemBatcher", "ResultWriter")  # parts of a Map state that hold such fields too
_LONGEST = 99_999_999  # seconds; the Amazon States Language's limit of every duration
_NUMBERS = {
    "TimeoutSeconds": (1, _LONGEST),
    "HeartbeatSeconds": (1, _LONGEST),
    "Seconds": (0, _LONGEST),
    "MaxConcurrency": (0, None),
    "ToleratedFailureCount": (0, None),
    "ToleratedFailurePercentage": (0, 100),
}


def check_fields(state: dict[str, Any], *, language: str, path: str) -> Iterator[Finding]:
    """Yields what is wrong with the names and the numbers of a state's fields. Its type is known."""
    kind = state["Type"]
    for name in state:
        if name not in STATE_FIELDS[kind]:
            yield schema(f"Field '{name}' is not supported", path)
    for name in _REQUIRED.get(kind, ()):
        if name not in state:
            yield schema(f"Missing required field '{name}'", path)
    yield from _check_moves(state, path)
    yield from check_language(state, language=language, path=path)
    for part in _PARTS:
        if isinstance(state.get(part), dict):
            yield from check_language(state[part], language=language, path=f"{path}/{part}")
    for name, (least, most) in _NUMBERS.items():
        if name in state:
            yield from check_number(state[name], name=name, path=path, least=least, most=most)
    if kind == "Wait":
        yield from _check_wait(state, path)


def check_language(fields: dict[str, Any], *, language: str, path: str) -> Iterator[Finding]:
    """Yields the fields of the other query language."""
    foreign, other = (JSONPATH_ONLY, "JSONPath") if language == "JSONata" else (JSONATA_ONLY, "JSONata")
    for name in fields:
        if name in foreign:
            message = f"field '{name}' is only supported for the '{other}' QueryLanguage"
            yield schema(f"The QueryLanguage is set to '{language}', but {message}", path)


def check_number(
    value: Any, *, name: str, path: str, least: float, most: float | None, whole: bool = True
) -> Iterator[Finding]:
    """Yields a fault where `value` is not a number within the bounds; a JSONata expression is left alone."""
    if isinstance(value, str) and value.startswith("{%"):
        return
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        kind = "an integer" if whole else "a number"
        yield schema(f"Expected value of field '{name}' to be {kind}", f"{path}/{name}")
    elif value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"between {least} and {most}"
        yield schema(f"The value of field '{name}' must be {bounds}, got {value}", f"{path}/{name}")


def _check_moves(state: dict[str, Any], path: str) -> Iterator[Finding]:
    """Exactly one of Next and `End: true` where a state may have them."""
    if "Next" not in STATE_FIELDS[state["Type"]]:
        return
    if "Next" in state and "End" in state:
        yield schema("Expected only one of the following fields: [End, Next]", path)
    elif "Next" not in state and state.get("End") is not True:
        yield schema("Missing required field: one of [End, Next]", path)


def _check_wait(state: dict[str, Any], path: str) -> Iterator[Finding]:
    given = [name for name in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath") if name in state]
    if len(given) != 1:
        fields = "[Seconds, SecondsPath, Timestamp, TimestampPath]"
        yield schema(f"Expected exactly one of the following fields: {fields}", path)
