"""Walks a state machine by the embedded cloud's interpreter, with the answers of its tasks given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from embedded_cloud.ministack_hooks.parts import sfn
from embedded_cloud.stepfunctions import interpreter
from embedded_cloud.stepfunctions.installation import record_evaluations

from tests.infra.machines import State

ARN = "arn:aws:states:us-east-1:000000000000:execution:bincount-dev-pipeline:one"
Answers = Mapping[str, Any]


@dataclass
class Walk:
    """Which states were entered, what their tasks were asked, and how it ended."""

    states: list[str] = field(default_factory=list[str])
    asked: dict[str, Any] = field(default_factory=dict[str, Any])
    output: Any = None
    error: tuple[str, str] | None = None


def walk(
    monkeypatch: pytest.MonkeyPatch,
    machine: State,
    *,
    given: Any,
    answers: Answers,
    start: str = "",
    stop: str = "",
) -> Walk:
    """From `start` (or the machine's own) to its end, or until `stop` is next.

    `answers` are the results of tasks and parallel branches by the state's name, or functions of what a task
    asks; a map passes its input on.
    Choices, JSONata, paths, retries and ends are the interpreter's.
    """
    record_evaluations()
    found, value = Walk(), given
    name: str | None = start or machine["StartAt"]
    context: dict[str, Any] = {
        "QueryLanguage": machine.get("QueryLanguage", "JSONPath"),
        "Execution": {"Id": ARN, "Name": "one", "Input": given},
        "variables": {},
    }

    def answer(resource: str, asked: Any) -> Any:
        found.asked[str(name)] = asked
        answered = answers[str(name)]
        return answered(asked) if callable(answered) else answered

    monkeypatch.setattr(sfn, "_invoke_resource", answer)
    while name and name != stop:
        state = machine["States"][name]
        found.states.append(name)
        context["State"] = {"Name": name, "RetryCount": 0}
        try:
            value, name = _step(state, value, context, answers.get(name))
        except interpreter.ExecutionError as error:
            found.error = (error.error, error.cause)
            return found
    found.output = value
    return found


def _step(state: State, value: Any, context: Any, answered: Any) -> tuple[Any, str | None]:
    kind: str = state["Type"]
    if kind == "Fail":
        raise interpreter.ExecutionError(*interpreter.fail_error(state, value, context))
    if kind == "Succeed":
        return interpreter.succeed_output(state, value, context), None
    if kind == "Map":
        return value, state.get("Next")
    if kind == "Parallel":
        return interpreter.output_of(state, given=value, result=[answered], ctx=context), state.get("Next")
    execute: Callable[..., tuple[Any, str | None]] = interpreter.executor(kind)
    if kind == "Task":
        return execute(state, value, {"events": []}, context)
    return execute(state, value, context)
