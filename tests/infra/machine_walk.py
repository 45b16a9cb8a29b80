"""Walks a state machine by the embedded cloud's interpreter, with the answers of its tasks given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from embedded_cloud.ministack_hooks.parts import sfn
from embedded_cloud.sagemaker.shapes import shapes_of
from embedded_cloud.stepfunctions import interpreter
from embedded_cloud.stepfunctions.installation import record_evaluations
from embedded_cloud.stepfunctions.parallel import in_jsonata

from tests.infra.machines import State

Answers = Mapping[str, Any]


@dataclass
class Walk:
    """Which states were entered, what tasks were asked (those in branches too), and how it ended.

    `read` and `written` are the keys in S3 of the maps' items and the prefixes of their results.
    """

    states: list[str] = field(default_factory=list[str])
    asked: dict[str, Any] = field(default_factory=dict[str, Any])
    read: dict[str, str] = field(default_factory=dict[str, str])
    written: dict[str, str] = field(default_factory=dict[str, str])
    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    output: Any = None
    error: tuple[str, str] | None = None


def walk(
    monkeypatch: pytest.MonkeyPatch,
    machine: State,
    *,
    name: str,
    given: Any,
    answers: Answers,
    start: str = "",
    stop: str = "",
    variables: Mapping[str, Any] | None = None,
) -> Walk:
    """From `start` (or the machine's own) to its end, or until `stop` is next; `name` is the machine's.

    `answers` are the results of tasks by the state's name, or functions of what a task asks; the branches of
    a parallel state are walked unless it has an answer; a map has no children.
    Choices, JSONata, retries, catches and ends are the interpreter's. Nothing is waited for. What SageMaker
    is asked must be what it takes.
    """
    record_evaluations()
    arn = f"arn:aws:states:us-east-1:000000000000:{{}}:{name}"
    found, value = Walk(), given
    context: dict[str, Any] = {
        "QueryLanguage": machine.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": f"{arn.format('execution')}:one",
            "Name": "one",
            "Input": given,
            "StartTime": "2026-11-28T04:00:00.000Z",
        },
        "StateMachine": {"Id": arn.format("stateMachine"), "Name": name},
        "variables": dict(variables or {}),
    }
    found.variables = context["variables"]

    def answer(resource: str, asked: Any) -> Any:
        state = context["State"]["Name"]
        found.asked[state] = asked
        if ":sagemaker:" in resource:
            action = resource.rpartition(":")[2]
            shapes_of("sagemaker").validate(operation=action[0].upper() + action[1:], request=asked)
        answered = answers[state]
        return answered(asked) if callable(answered) else answered

    monkeypatch.setattr(sfn, "_invoke_resource", answer)
    monkeypatch.setattr(sfn, "_SFN_WAIT_SCALE", 0)
    with monkeypatch.context() as patched:
        patched.setattr(sfn, "_run_parallel_branches", in_jsonata(sfn._run_parallel_branches))
        at: str | None = start or machine["StartAt"]
        while at and at != stop:
            state = machine["States"][at]
            found.states.append(at)
            context["State"] = {"Name": at, "RetryCount": 0}
            try:
                if state["Type"] == "Map":
                    value, at = _map(found, state, value, context)
                else:
                    value, at = _step(state, value, context, answers.get(at))
            except interpreter.ExecutionError as error:
                found.error = (error.error, error.cause)
                return found
    found.output = value
    return found


def _map(found: Walk, state: State, value: Any, context: Any) -> tuple[Any, str | None]:
    read, batch, written = (
        interpreter.fill(state, request, value, context)
        for request in (
            state["ItemReader"]["Arguments"],
            state["ItemBatcher"]["BatchInput"],
            state["ResultWriter"]["Arguments"],
        )
    )
    assert batch["step"]
    name = context["State"]["Name"]
    found.read[name], found.written[name] = read["Key"], written["Prefix"]
    manifest = {"Bucket": written["Bucket"], "Key": f"{written['Prefix']}/manifest.json"}
    result = {"ResultWriterDetails": manifest}
    return interpreter.output_of(state, given=value, result=result, ctx=context), state.get("Next")


def _step(state: State, value: Any, context: Any, answered: Any) -> tuple[Any, str | None]:
    kind: str = state["Type"]
    if kind == "Fail":
        raise interpreter.ExecutionError(*interpreter.fail_error(state, value, context))
    if kind == "Succeed":
        return interpreter.succeed_output(state, value, context), None
    if kind == "Parallel" and answered is not None:
        return interpreter.output_of(state, given=value, result=[answered], ctx=context), state.get("Next")
    execute: Callable[..., tuple[Any, str | None]] = interpreter.executor(kind)
    if kind in ("Task", "Parallel"):
        return execute(state, value, {"events": []}, context)
    return execute(state, value, context)


def reject(error: str, cause: str) -> Callable[[Any], Any]:
    """An answer: the task fails with this error in each attempt."""

    def run(asked: Any) -> Any:
        raise interpreter.ExecutionError(error, cause)

    return run


def in_turn(*answers: Any) -> Callable[[Any], Any]:
    """An answer: these one after the other, and the last one from then on."""
    left = list(answers)

    def run(asked: Any) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(asked) if callable(answer) else answer

    return run


def answer_of(operation: str, **members: Any) -> dict[str, Any]:
    """Members of SageMaker's answer to an operation: AWS's own model has them, in this form."""
    shape = _sagemaker().operation_model(operation).output_shape
    lines = ParamValidator().validate(members, shape).generate_report().splitlines()
    assert [line for line in lines if not line.startswith("Missing required")] == []
    return members


@cache
def _sagemaker() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")
