"""What ministack's interpreter of the Amazon States Language does for us, with types."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.ministack_hooks.parts import sfn

if TYPE_CHECKING:

    class ExecutionError(Exception):
        """Fails a task or a state with an error's name and a cause."""

        error: str
        cause: str

        def __init__(self, error: str, cause: str) -> None: ...

else:
    ExecutionError = sfn._ExecutionError


def execution(arn: str) -> dict[str, Any] | None:
    """ministack's record of an execution, also of a Map Run's child; None where there is none."""
    return sfn._executions.get(arn)


def executions() -> Iterable[dict[str, Any]]:
    """All of them, as they are at this moment."""
    return list(sfn._executions.values())


def machine(arn: str) -> dict[str, Any] | None:
    """ministack's record of a state machine; None where there is none."""
    return sfn._state_machines.get(arn)


def machine_of(arn: str) -> str | None:
    """The state machine that its ARN, a version's or an alias's names; None where there is none."""
    return sfn._resolve_state_machine_arn(arn)


def now() -> str:
    """The time as ministack keeps it."""
    return sfn.now_iso()


def add_event(execution: dict[str, Any], kind: str, details: dict[str, Any]) -> None:
    """Adds an event to an execution's history."""
    sfn._add_event(execution, kind, details)


def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
    """Ends an execution as FAILED."""
    sfn._fail_execution(execution, error, cause)


def emit_status(execution: dict[str, Any]) -> None:
    """Publishes an execution's status."""
    sfn._emit_execution_status_event(execution)


def executor(kind: str) -> Callable[..., tuple[Any, str | None]]:
    """What runs a state of that type."""
    return getattr(sfn, f"_execute_{kind.lower()}")


def succeed_output(state: dict[str, Any], value: Any, ctx: Any) -> Any:
    """The output of a Succeed state."""
    if is_jsonata(state, ctx):
        return sfn._apply_jsonata_output(state, value, ctx, default=value)
    return sfn._apply_output_path(state, sfn._apply_input_path(state, value, ctx), ctx)


def fail_error(state: dict[str, Any], value: Any, ctx: Any) -> tuple[str, str]:
    """Error and cause of a Fail state."""
    return sfn._fail_state_error(state, value, ctx)


def role_of(machine: str) -> str:
    """The role of a state machine; "" where there is none."""
    record: dict[str, Any] = sfn._state_machines.get(machine) or {}
    return record.get("roleArn", "")


def map_run(label: str) -> str:
    """The ARN of the Map Run whose Map state has that label."""
    return next(arn for arn in sfn._map_runs if f"/{label}:" in arn)


def is_jsonata(state: dict[str, Any], ctx: Any) -> bool:
    """Whether a state's expressions are JSONata, by its own language or the machine's."""
    return sfn._state_query_language(state, ctx) == "JSONata"


def read_items(reader: dict[str, Any], effective: Any, ctx: Any) -> Any:
    """What an ItemReader names, whose Parameters or Arguments are filled."""
    return sfn._read_map_items(reader, effective, ctx)


def at_path(path: str, data: Any, ctx: Any) -> Any:
    """The value at a path into the data, or (`$$.`) into the context."""
    return sfn._resolve_path_or_ctx(path, data, ctx)


def fill(state: dict[str, Any], template: Any, data: Any, ctx: Any) -> Any:
    """A template of a state's with what its paths name, or its JSONata gives."""
    if is_jsonata(state, ctx):
        return sfn._apply_jsonata_template(template, data, ctx)
    return sfn._resolve_params_obj(template, data, ctx)


def output_of(state: dict[str, Any], *, given: Any, result: Any, ctx: Any) -> Any:
    """The state's output: its result through Output, or ResultSelector, ResultPath and OutputPath.

    What a JSONata state assigns is assigned.
    """
    if is_jsonata(state, ctx):
        output = sfn._apply_jsonata_output(state, given, ctx, result=result, default=result)
        sfn._apply_state_assign(state, given, ctx, result=result)
        return output
    selected = sfn._apply_result_selector(state, result)
    return sfn._apply_output_path(state, sfn._apply_result_path(state, given, selected), ctx)


def arguments_of(state: dict[str, Any], given: Any, context: dict[str, Any]) -> Any:
    """A JSONata state's `Arguments`, evaluated over its input; the input where it has none."""
    return sfn._apply_jsonata_arguments(state, given, context)


def execution_arn_of_a_test() -> str:
    """TestState runs in no execution; what asks for one's ARN gets one of that form."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:test:test"
