"""A Parallel state in JSONata: ministack knows what goes into it and comes out of it by paths only."""

from collections.abc import Callable
from typing import Any

from embedded_cloud.stepfunctions import interpreter

RunBranches = Callable[[dict[str, Any], Any, dict[str, Any], dict[str, Any]], tuple[Any, str | None]]


def in_jsonata(run_branches: RunBranches) -> RunBranches:
    """Wraps ministack's `_run_parallel_branches` with Arguments, Output and Assign."""

    def run(state: Any, given: Any, execution: Any, ctx: Any) -> tuple[Any, str | None]:
        if not interpreter.is_jsonata(state, ctx):
            return run_branches(state, given, execution, ctx)
        entered = ctx["State"]
        asked = interpreter.arguments_of(state, given, ctx)
        try:
            results, following = run_branches(state, asked, execution, ctx)
        finally:
            ctx["State"] = entered  # the branches left theirs
        return interpreter.output_of(state, given=given, result=results, ctx=ctx), following

    return run
