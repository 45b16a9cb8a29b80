"""Writes down what JSONata expressions were given and gave, so that they can be evaluated elsewhere.

Set FOLDER_VARIABLE to a folder before the embedded cloud starts. Each process writes a file of its own
there, a JSON object a line: machine, state, expression, input, result, error, variables, context, value.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "EMBEDDED_CLOUD_EVALUATIONS"
_MOST = 3
"""The most often that an expression of a state is written down, however many items a map has."""
_NO_PART_OF_CONTEXT = ("QueryLanguage", "variables")


def folder() -> Path | None:
    """Where evaluations are to be written; None where nobody asked."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else None


class Evaluations:
    """Replaces ministack's `evaluate`: returns the same results and writes them into the folder `target`."""

    def __init__(self, evaluate: Callable[..., Any], *, target: Path) -> None:
        self._evaluate = evaluate
        target.mkdir(parents=True, exist_ok=True)
        self._file = target / f"{os.getpid()}.jsonl"
        self._lock = threading.Lock()
        self._seen: Counter[tuple[Any, ...]] = Counter()

    def __call__(
        self, expression: str, raw_input: Any, ctx: Any = None, result: Any = None, error_output: Any = None
    ) -> Any:
        value = self._evaluate(expression, raw_input, ctx, result, error_output)
        context: dict[str, Any] = ctx or {}
        evaluation = {
            "machine": context.get("StateMachine", {}).get("Name", ""),
            "state": context.get("State", {}).get("Name", ""),
            "expression": expression,
            "input": raw_input,
            "result": result,
            "error": error_output,
            "variables": context.get("variables", {}),
            "context": {name: part for name, part in context.items() if name not in _NO_PART_OF_CONTEXT},
            "value": value,
        }
        self._write(evaluation)
        return value

    def _write(self, evaluation: dict[str, Any]) -> None:
        kind = (
            evaluation["machine"],
            evaluation["state"],
            evaluation["expression"],
            evaluation["result"] is None,
            evaluation["error"] is None,
        )
        with self._lock:
            self._seen[kind] += 1
            if self._seen[kind] <= _MOST:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(evaluation) + "\n")
