"""AWS/Lambda metrics of every invocation: ministack counts only those of the Invoke API."""

import time
from collections.abc import Callable
from typing import Any

RecordMetric = Callable[..., None]


def counted(dispatch: Callable[..., dict[str, Any]], record: RecordMetric) -> Callable[..., dict[str, Any]]:
    """ministack's `_execute_function_dispatch(func, config, …)`, the one way of every invocation."""

    def run(function: Any, configuration: dict[str, Any], *rest: Any) -> dict[str, Any]:
        started = time.monotonic()
        answer = dispatch(function, configuration, *rest)
        dimensions = {"FunctionName": configuration.get("FunctionName", "")}
        milliseconds = (time.monotonic() - started) * 1000
        record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        record("AWS/Lambda", "Errors", 1 if answer.get("error") else 0, "Count", dimensions)
        record("AWS/Lambda", "Throttles", 0, "Count", dimensions)
        record("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)
        return answer

    return run


def only_throttles(record: RecordMetric) -> Callable[..., None]:
    """In place of ministack's `_emit_lambda_metrics`: a throttle never reaches the dispatch."""

    def run(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle and not duration_ms:
            record("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})

    return run
