"""One execution from its start, or from the state that failed, to its end.

It differs from ministack's own loop in three ways, which are AWS's: the definition is the one at the start,
however the machine is updated meanwhile; the machine's TimeoutSeconds ends the execution; and the state that
it reached is kept, so that a redrive continues there.
"""

import contextvars
import copy
import json
import logging
import threading
import time
from typing import Any

from embedded_cloud.stepfunctions import interpreter
from embedded_cloud.stepfunctions.interpreter import ExecutionError

_LOG = logging.getLogger("embedded_cloud.executions")
_WITH_EXECUTION = ("Task", "Parallel", "Map")
_START_SECONDS = 0.15  # ministack's own pause: callers see RUNNING first


def run(arn: str) -> None:
    """Runs an execution to its end in this thread."""
    execution = interpreter.execution(arn)
    if execution is None:
        return
    time.sleep(_START_SECONDS)
    if "_place" not in execution and not _placed_at_start(execution):
        return
    timer = _timer_of(execution)
    try:
        _walk(execution)
    except ExecutionError as error:
        interpreter.fail_execution(execution, error.error, error.cause)
    except Exception as error:
        _LOG.exception("execution %s", arn)
        interpreter.fail_execution(execution, "States.Runtime", str(error))
    finally:
        if timer:
            timer.cancel()


def _placed_at_start(execution: dict[str, Any]) -> bool:
    """Keeps the definition, the context and the first state as the execution's place."""
    machine = interpreter.machine(execution["stateMachineArn"])
    if machine is None:
        interpreter.fail_execution(execution, "States.Runtime", "The state machine was deleted.")
        return False
    definition = json.loads(machine["definition"])
    given = json.loads(execution["input"])
    context = {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": given,
            "Name": execution["name"],
            "RoleArn": machine["roleArn"],
            "StartTime": execution["startDate"],
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }
    execution["_place"] = {
        "definition": definition,
        "context": context,
        "state": definition["StartAt"],
        "input": given,
        "variables": {},
    }
    return True


def _walk(execution: dict[str, Any]) -> None:
    place = execution["_place"]
    states, context = place["definition"]["States"], place["context"]
    context["Execution"]["RedriveCount"] = execution.get("redriveCount", 0)
    context["variables"] = copy.deepcopy(place["variables"])
    name: str | None = place["state"]
    value = copy.deepcopy(place["input"])
    while name and execution["status"] == "RUNNING":
        place.update(state=name, input=copy.deepcopy(value), variables=copy.deepcopy(context["variables"]))
        state = states[name]
        context["State"] = {"Name": name, "EnteredTime": interpreter.now(), "RetryCount": 0}
        _tell(execution, f"{state['Type']}StateEntered", "stateEntered", name, input=value)
        value, following = _step(state, value, execution, context)
        if execution["status"] == "RUNNING":
            _tell(execution, f"{state['Type']}StateExited", "stateExited", name, output=value)
        name = following
    if execution["status"] == "RUNNING":
        output = json.dumps(value)
        execution.update(status="SUCCEEDED", output=output, stopDate=interpreter.now())
        interpreter.add_event(
            execution, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": output}}
        )
        interpreter.emit_status(execution)


def _step(
    state: dict[str, Any], value: Any, execution: dict[str, Any], context: dict[str, Any]
) -> tuple[Any, str | None]:
    kind = state["Type"]
    if kind == "Succeed":
        return interpreter.succeed_output(state, value, context), None
    if kind == "Fail":
        raise ExecutionError(*interpreter.fail_error(state, value, context))
    execute = interpreter.executor(kind)
    if kind in _WITH_EXECUTION:
        return execute(state, value, execution, context)
    return execute(state, value, context)


def _tell(execution: dict[str, Any], kind: str, details: str, name: str, **data: Any) -> None:
    described = {"name": name, **{key: json.dumps(value) for key, value in data.items()}}
    interpreter.add_event(execution, kind, {f"{details}EventDetails": described})


def _timer_of(execution: dict[str, Any]) -> threading.Timer | None:
    """Ends the execution at the machine's TimeoutSeconds; its tasks then learn that nobody waits."""
    seconds = execution["_place"]["definition"].get("TimeoutSeconds")
    if seconds is None:
        return None

    def end() -> None:
        if execution["status"] != "RUNNING":
            return
        execution.update(status="TIMED_OUT", stopDate=interpreter.now())
        interpreter.add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
        interpreter.emit_status(execution)

    # A timer's thread has no context of its own, and ministack finds account and region there.
    timer = threading.Timer(seconds, contextvars.copy_context().run, args=(end,))
    timer.daemon = True
    timer.start()
    return timer
