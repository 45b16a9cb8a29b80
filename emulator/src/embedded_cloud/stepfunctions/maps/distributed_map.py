"""A Distributed Map with ItemBatcher, ResultWriter and the size limit on its results."""

import copy
import uuid
from collections.abc import Callable
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.stepfunctions import interpreter
from embedded_cloud.stepfunctions.interpreter import ExecutionError
from embedded_cloud.stepfunctions.limits import check_size
from embedded_cloud.stepfunctions.maps.item_batcher import batches
from embedded_cloud.stepfunctions.maps.result_writer import write_results
from embedded_cloud.stepfunctions.tasks.context import current
from embedded_cloud.stepfunctions.tasks.rights import Authorise, require

RunMap = Callable[..., tuple[Any, str | None]]
_DONE_HERE = (
    "ItemBatcher",
    "ResultWriter",
    "ResultSelector",
    "ResultPath",
    "OutputPath",
    "Output",
    "Assign",
)


class DistributedMap:
    """Wraps ministack's Distributed Map: batches what goes in, writes or limits what comes out."""

    def __init__(self, *, run: RunMap, aws: Aws, authorise: Authorise) -> None:
        self._run = run
        self._aws = aws
        self._authorise = authorise

    def __call__(
        self, state: dict[str, Any], raw_input: Any, effective: Any, iterator: Any, execution: Any, ctx: Any
    ) -> tuple[Any, str | None]:
        """The state's output and the next state's name."""
        self._check_rights(state, effective, ctx)
        inner = {key: value for key, value in state.items() if key not in _DONE_HERE}
        inner["Label"] = f"{state.get('Label', 'Map')}-{uuid.uuid4().hex[:8]}"
        inner_input = effective
        if "ItemBatcher" in state:
            # What is handed on is not an expression any more.
            for key in ("ItemReader", "ItemSelector", "Parameters", "Items"):
                inner.pop(key, None)
            inner["ItemsPath"] = "$.batches"
            inner_input = {"batches": _batched(state, effective, ctx)}
        try:
            results, following = self._run(inner, raw_input, inner_input, iterator, execution, ctx)
        except ExecutionError:
            if "ResultWriter" in state:
                self._write(state, effective, ctx, label=inner["Label"])
            raise
        if "ResultWriter" in state:
            results = self._write(state, effective, ctx, label=inner["Label"])
        check_size(results, what="The result of the Map Run", fail=ExecutionError)
        return interpreter.output_of(state, given=raw_input, result=results, ctx=ctx), following

    def _check_rights(self, state: dict[str, Any], effective: Any, ctx: Any) -> None:
        """The role starts the children and reads the items; what it writes is a signed request of its own."""
        machine = ctx["StateMachine"]["Id"]
        require(self._authorise, ExecutionError, action="states:StartExecution", arn=machine)
        reader = state.get("ItemReader", {})
        if reader.get("Resource", "").endswith("s3:getObject"):
            where = _filled(state, reader, effective, ctx)
            arn = f"arn:aws:s3:::{where['Bucket']}/{where['Key']}"
            fault = "States.ItemReaderFailed"
            require(self._authorise, ExecutionError, action="s3:GetObject", arn=arn, error=fault)

    def _write(self, state: dict[str, Any], effective: Any, ctx: Any, *, label: str) -> dict[str, Any]:
        writer = _filled(state, state["ResultWriter"], effective, ctx)
        arn = interpreter.map_run(label)
        children = [child for child in interpreter.executions() if child.get("mapRunArn") == arn]
        return write_results(
            children=children,
            map_run_arn=arn,
            bucket=writer["Bucket"],
            prefix=writer.get("Prefix", ""),
            s3=self._aws.client("s3", role=current().role),
        )


def _filled(state: dict[str, Any], part: dict[str, Any], effective: Any, ctx: Any) -> dict[str, Any]:
    """The request that an ItemReader or a ResultWriter makes."""
    return interpreter.fill(state, part.get("Arguments") or part.get("Parameters") or {}, effective, ctx)


def _batched(state: dict[str, Any], effective: Any, ctx: Any) -> list[dict[str, Any]]:
    """The inputs of the child executions."""
    if "ItemReader" in state:
        reader = state["ItemReader"]
        reader = {**reader, "Parameters": _filled(state, reader, effective, ctx)}
        items = interpreter.read_items(reader, effective, ctx)
    else:
        items = interpreter.at_path(state.get("ItemsPath", "$"), effective, ctx)
    selector = state.get("ItemSelector") or state.get("Parameters")
    if selector:
        items = [_selected(state, selector, item, index, effective, ctx) for index, item in enumerate(items)]
    batcher = state["ItemBatcher"]
    batch_input = batcher.get("BatchInput")
    try:
        return batches(
            items,
            most_items=_limit(batcher, "MaxItemsPerBatch", effective, ctx),
            most_bytes=_limit(batcher, "MaxInputBytesPerBatch", effective, ctx),
            batch_input=None if batch_input is None else interpreter.fill(state, batch_input, effective, ctx),
        )
    except ValueError as error:
        raise ExecutionError("States.DataLimitExceeded", str(error)) from error


def _selected(state: dict[str, Any], selector: Any, item: Any, index: int, effective: Any, ctx: Any) -> Any:
    item_ctx = copy.deepcopy(ctx)
    item_ctx["Map"] = {"Item": {"Index": index, "Value": item}}
    return interpreter.fill(state, selector, effective, item_ctx)


def _limit(batcher: dict[str, Any], name: str, effective: Any, ctx: Any) -> int | None:
    if f"{name}Path" in batcher:
        given = interpreter.at_path(batcher[f"{name}Path"], effective, ctx)
        return int(given)
    return int(batcher[name]) if batcher.get(name) else None
