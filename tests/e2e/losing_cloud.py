"""An embedded cloud in which the answer of a state's task can be lost, or an execution stopped in a state.

An execution whose name is `lose-<State>-<fault>-…` loses the first answer of that state: the task is done,
then seems to fail. The faults are those of LOST: what Step Functions says of a connection that broke, and of
an answer 500. One whose name is `kill-<State>-<before|after>-…` is stopped as it enters that state, or once
what the state does is done.
"""

import contextvars
import sys
import threading
from typing import Any

from embedded_cloud import server
from embedded_cloud.__main__ import main as serve
from embedded_cloud.cloud import Cloud

LOST = ("connection", "server")
_SDK = ":aws-sdk:"


class LosingCloud(Cloud):
    """Runs this module in place of the package."""

    module = __name__


def lost(name: str) -> str:
    """What the cloud's log says of an execution of that name whose answer was lost."""
    return f"lost an answer of {name}\n"


def done(name: str, state: str = "") -> str:
    """What it says of a task that was done."""
    return f"{name} did {state}"


def fault(resource: str, kind: str) -> tuple[str, str]:
    """Error and cause of a lost answer, as Step Functions writes them."""
    from embedded_cloud.stepfunctions.tasks.sdk_services import sdk_service

    if _SDK in resource:
        service = sdk_service(resource.split(_SDK)[1].split(":")[0])
        prefix = service.prefix if service else "States"
        whole = f"{prefix}.{prefix}Exception"
    else:
        prefix, whole = "DynamoDB", "DynamoDB.InternalServerErrorException"
    if kind == "connection":
        return f"{prefix}.SdkClientException", "Unable to execute HTTP request: Connection reset"
    return whole, f"Internal failure (Service: {prefix}, Status Code: 500, Request ID: 1)"


class Losses:
    """Wraps ministack's tasks; each execution loses one answer."""

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._lock = threading.Lock()
        self._place: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("place")

    def install(self) -> None:
        """Below what `local` wraps, so that checks and limits stay as they are."""
        from embedded_cloud.ministack_hooks.parts import sfn
        from embedded_cloud.stepfunctions.interpreter import ExecutionError

        execute, invoke = sfn._execute_task, sfn._invoke_resource

        def execute_task(state: Any, value: Any, execution: Any, context: Any) -> Any:
            token = self._place.set((context["Execution"]["Name"], context["State"]["Name"]))
            try:
                return execute(state, value, execution, context)
            finally:
                self._place.reset(token)

        def invoke_resource(resource: Any, given: Any) -> Any:
            result = invoke(resource, given)
            execution, state = self._place.get()
            print(done(execution, state), flush=True)
            kind = self._due(execution, state)
            if kind:
                print(lost(execution), end="", flush=True)
                raise ExecutionError(*fault(resource, kind))
            return result

        sfn._execute_task, sfn._invoke_resource = execute_task, invoke_resource
        self._install_kills()

    @staticmethod
    def _install_kills() -> None:
        from embedded_cloud.ministack_hooks.parts import sfn
        from embedded_cloud.stepfunctions import execution_loop

        step = execution_loop._step

        def step_or_stop(state: Any, value: Any, execution: Any, context: Any) -> tuple[Any, str | None]:
            name, place = execution["name"], context["State"]["Name"]
            following: tuple[Any, str | None] = (value, None)
            if not name.startswith(f"kill-{place}-before-"):
                following = step(state, value, execution, context)
            if name.startswith(f"kill-{place}-"):
                sfn._stop_execution({"executionArn": execution["executionArn"]})
            return following

        execution_loop._step = step_or_stop

    def _due(self, execution: str, state: str) -> str | None:
        word, _, rest = execution.partition("-")
        if word != "lose" or not rest.startswith(f"{state}-"):
            return None
        with self._lock:
            if execution in self._done:
                return None
            self._done.add(execution)
        return rest.split("-")[1]


def main() -> int:
    """Serves as `python -m embedded_cloud serve` does; ministack is imported once its hooks are verified."""
    verify = server.verify

    def verify_and_install() -> None:
        verify()
        Losses().install()

    server.verify = verify_and_install
    return serve()


if __name__ == "__main__":
    sys.exit(main())
