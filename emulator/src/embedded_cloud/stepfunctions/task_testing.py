"""TestState of a task in JSONata: ministack's reads the parameters of JSONPath alone, and knows no role."""

import json
from collections.abc import Callable
from typing import Any

from embedded_cloud.sagemaker.runtime import Response
from embedded_cloud.stepfunctions.interpreter import arguments_of, execution_arn_of_a_test
from embedded_cloud.stepfunctions.tasks.context import TaskContext, entered

Operation = Callable[[dict[str, Any]], Response]


def testing(operation: Operation) -> Operation:
    """The operation, with the request's role doing the task, and a JSONata task's `Arguments` evaluated."""

    def run(request: dict[str, Any]) -> Response:
        with entered(TaskContext(role=request.get("roleArn", ""), is_running=lambda: True)):
            return operation(_in_json_path(request))

    return run


def _in_json_path(request: dict[str, Any]) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(request["definition"])
        given = json.loads(request.get("input", "{}"))
    except (KeyError, ValueError):
        return request  # ministack refuses it
    is_task = state.get("Type") == "Task"
    if not is_task or state.get("QueryLanguage") != "JSONata" or "mock" in request:
        return request
    arn = execution_arn_of_a_test()
    context = {"Execution": {"Id": arn, "Input": given}, "QueryLanguage": "JSONata", "variables": {}}
    arguments = arguments_of(state, given, context)
    plain = {key: state[key] for key in ("Type", "Resource", "Retry", "Catch", "End", "Next") if key in state}
    return {**request, "definition": json.dumps(plain), "input": json.dumps(arguments)}
