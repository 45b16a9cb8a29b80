"""Metrics in log lines (CloudWatch's embedded metric format), taken out as the lines arrive."""

import json
from collections.abc import Callable, Iterable
from typing import Any, cast

Put = Callable[..., None]
_MOST_METRICS = 100  # of one directive, by the format's specification


def extract(message: str, put: Put) -> None:
    """Calls `put(namespace, name, value, unit, dimensions, seconds)` for every value that the line holds.

    A line that is not a JSON object or has no directive holds none.
    """
    if '"CloudWatchMetrics"' not in message:
        return
    try:
        line = json.loads(message)
        directives, milliseconds = line["_aws"]["CloudWatchMetrics"], line["_aws"]["Timestamp"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in cast("list[dict[str, Any]]", directives):
        sets: list[list[str]] = directive.get("Dimensions") or [[]]
        for keys in sets:
            if all(key in line for key in keys):
                dimensions = {str(key): str(line[key]) for key in keys}
                _take(line, directive, dimensions, milliseconds / 1000, put)


def _take(
    line: dict[str, Any], directive: dict[str, Any], dimensions: dict[str, str], seconds: float, put: Put
) -> None:
    metrics: list[dict[str, Any]] = directive.get("Metrics", [])
    for metric in metrics[:_MOST_METRICS]:
        name, unit = metric["Name"], metric.get("Unit", "None")
        for value in _numbers(line.get(name)):
            put(directive["Namespace"], name, value, unit, dimensions, seconds)


def _numbers(value: Any) -> Iterable[float]:
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [float(item) for item in values if isinstance(item, int | float)]
