"""What ministack's interpreter of the Amazon States Language does for us, with types."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from local.ministack_parts import sfn

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


def role_of(machine: str) -> str:
    """The role of a state machine; "" where there is none."""
    record: dict[str, Any] = sfn._state_machines.get(machine) or {}
    return record.get("roleArn", "")


def map_run(label: str) -> str:
    """The ARN of the Map Run whose Map state has that label."""
    return next(arn for arn in sfn._map_runs if f"/{label}:" in arn)


def read_items(reader: dict[str, Any], effective: Any, ctx: Any) -> Any:
    """What an ItemReader names."""
    return sfn._read_map_items(reader, effective, ctx)


def at_path(path: str, data: Any, ctx: Any) -> Any:
    """What stands at a path into the data, or (`$$.`) into the context."""
    return sfn._resolve_path_or_ctx(path, data, ctx)


def fill(template: Any, data: Any, ctx: Any) -> Any:
    """A payload template with what its paths name."""
    return sfn._resolve_params_obj(template, data, ctx)


def output_of(state: dict[str, Any], *, given: Any, result: Any, ctx: Any) -> Any:
    """The state's output: its result through ResultSelector, ResultPath and OutputPath."""
    selected = sfn._apply_result_selector(state, result)
    return sfn._apply_output_path(state, sfn._apply_result_path(state, given, selected), ctx)
