"""ministack's Step Functions operations with AWS's checks of requests around them, and RedriveExecution."""

import contextvars
import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.sagemaker.runtime import Response
from embedded_cloud.stepfunctions import execution_loop, interpreter
from embedded_cloud.stepfunctions.redrive import check_redrivable, redrive_members
from embedded_cloud.stepfunctions.requests import check_create, check_start, check_update, validation_of
from embedded_cloud.wire import checked, error_response

Operation = Callable[[dict[str, Any]], Response]
_JSON = {"Content-Type": "application/x-amz-json-1.0"}


def creating(operation: Operation) -> Operation:
    """CreateStateMachine."""
    return checked(operation, check_create)


def updating(operation: Operation) -> Operation:
    """UpdateStateMachine; that of an absent machine is ministack's to refuse."""

    def check(request: dict[str, Any]) -> None:
        if interpreter.machine(request.get("stateMachineArn", "")):
            check_update(request)

    return checked(operation, check)


def starting(operation: Operation) -> Operation:
    """StartExecution; the same name with the same input of a running execution starts nothing."""

    def machine_of(request: dict[str, Any]) -> str | None:
        return interpreter.machine_of(request.get("stateMachineArn", ""))

    def check(request: dict[str, Any]) -> None:
        if machine_of(request):
            check_start(request)

    def run(request: dict[str, Any]) -> Response:
        machine = machine_of(request)
        if machine and request.get("name"):
            arn = f"{machine.replace(':stateMachine:', ':execution:')}:{request['name']}"
            running = interpreter.execution(arn)
            same = running is not None and running["input"] == request.get("input", "{}")
            if running is not None and running["status"] == "RUNNING" and same:
                return _answer({"executionArn": arn, "startDate": running["startDate"]})
        return operation(request)

    return checked(run, check)


def describing(operation: Operation) -> Operation:
    """DescribeExecution with what is known of redrives; an output only of an execution that succeeded."""

    def run(request: dict[str, Any]) -> Response:
        status, headers, body = operation(request)
        execution = interpreter.execution(request.get("executionArn", ""))
        if status != 200 or execution is None:
            return status, headers, body
        answer = json.loads(body)
        if execution["status"] != "SUCCEEDED":
            answer.pop("output", None)
            answer.pop("outputDetails", None)
        answer.update(redrive_members(execution))
        return _answer({name: value for name, value in answer.items() if value is not None})

    return run


def listing(operation: Operation) -> Operation:
    """ListExecutions of a machine or of a Map Run that exists."""

    def check(request: dict[str, Any]) -> None:
        machine, map_run = request.get("stateMachineArn"), request.get("mapRunArn")
        if bool(machine) == bool(map_run):
            raise validation_error("Exactly one of stateMachineArn, mapRunArn must be specified")
        if machine and interpreter.machine_of(machine) is None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")

    return checked(operation, check)


def validating(request: dict[str, Any]) -> Response:
    """ValidateStateMachineDefinition."""
    return _answer(validation_of(request))


def with_redrive(handle: Callable[..., Any]) -> Callable[..., Any]:
    """ministack's entry into Step Functions, with RedriveExecution beside what it has."""

    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            try:
                return _answer(redrive(json.loads(body)))
            except AwsError as error:
                return error_response(error)
        return await handle(method, path, headers, body, query)

    return run


def redrive(request: dict[str, Any]) -> dict[str, Any]:
    """Continues an execution from the state that did not succeed. Raises AwsError."""
    arn = request.get("executionArn", "")
    execution = check_redrivable(interpreter.execution(arn), arn)
    date = interpreter.now()
    execution.update(
        status="RUNNING",
        stopDate=None,
        output=None,
        redriveCount=execution.get("redriveCount", 0) + 1,
        redriveDate=date,
    )
    execution.pop("error", None)
    execution.pop("cause", None)
    details = {"executionRedrivenEventDetails": {"redriveCount": execution["redriveCount"]}}
    interpreter.add_event(execution, "ExecutionRedriven", details)
    interpreter.emit_status(execution)
    work = contextvars.copy_context()
    threading.Thread(target=work.run, args=(execution_loop.run, arn), daemon=True).start()
    return {"redriveDate": datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()}


def _answer(members: dict[str, Any]) -> Response:
    return 200, dict(_JSON), json.dumps(members).encode()
