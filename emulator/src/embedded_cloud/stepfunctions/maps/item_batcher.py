"""A Distributed Map's ItemBatcher: groups items into the inputs of child executions."""

import json
from typing import Any

from embedded_cloud.stepfunctions.limits import MAX_BYTES


def batches(
    items: list[Any], *, most_items: int | None, most_bytes: int | None, batch_input: Any | None
) -> list[dict[str, Any]]:
    """Groups `items` in order into `{"Items": […], "BatchInput": …}`.

    A batch is full at `most_items`, or before it would grow beyond `most_bytes` (at most 256 KiB) as JSON.
    Raises ValueError for an item that alone is too large.
    """
    limit = min(most_bytes or MAX_BYTES, MAX_BYTES)
    frame: dict[str, Any] = (
        {"BatchInput": batch_input, "Items": []} if batch_input is not None else {"Items": []}
    )
    empty = _size(frame)
    grouped: list[list[Any]] = []
    used = empty
    for index, item in enumerate(items):
        size = _size(item) + 1
        if empty + size > limit:
            raise ValueError(f"item {index} has {size - 1} bytes and does not fit a batch of {limit} bytes")
        if not grouped or used + size > limit or len(grouped[-1]) == most_items:
            grouped.append([])
            used = empty
        grouped[-1].append(item)
        used += size
    return [{**frame, "Items": group} for group in grouped]


def _size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8"))
