"""The Lambda function: one step of data preparation a call (docs/inside/pipeline.md)."""

import os
from collections.abc import Callable
from typing import Any, cast

from data_prep.errors import BadRequest
from data_prep.request import parse_request
from data_prep.run import Run, find_run
from data_prep.steps.arrange import arrange
from data_prep.steps.assign_shards import PACK_LIST, assign_shards
from data_prep.steps.index import index
from data_prep.steps.open_run import PARTS, open_run
from data_prep.steps.pack import pack
from data_prep.steps.plan import WORK_LIST, plan
from data_prep.steps.records import FOLDER
from data_prep.steps.seal import seal
from data_prep.storage.lines import read_json
from data_prep.storage.s3_store import S3Store
from data_prep.storage.store import exists

Answer = dict[str, Any]


def handler(event: dict[str, Any], context: object) -> Answer:
    """Run the event's step; that of a Distributed Map's batch (`Items`) is in `BatchInput`."""
    name = event.get("BatchInput", event).get("step")
    if name in _STEPS:
        return _STEPS[name](event, _bucket())
    if name in _BATCH_STEPS:
        run = find_run(_bucket(), _batch(event)["dataset_id"])
        return _BATCH_STEPS[name](run, event["Items"])
    raise BadRequest(f"step is {name!r}; expected one of {', '.join([*_STEPS, *_BATCH_STEPS])}")


def _bucket() -> S3Store:
    name = os.environ.get("BUCKET")
    if not name:
        raise BadRequest("the environment variable BUCKET is not set; give the function the stage's bucket")
    return S3Store(bucket=name)


def _open(event: Answer, bucket: S3Store) -> Answer:
    run = open_run(bucket, parse_request(event.get("request")))
    count = len(read_json(bucket, run.key(PARTS)))
    parts = {"bucket": bucket.bucket, "key": run.key(PARTS), "count": count}
    return _place(run) | {"shards": run.request.layout != "folders", "parts": parts}


def _batch(event: Answer) -> Answer:
    batch, items = event.get("BatchInput"), event.get("Items")
    if not isinstance(batch, dict) or "dataset_id" not in batch or not isinstance(items, list) or not items:
        raise BadRequest(
            'expected {"Items": [item, …], "BatchInput": {"step": …, "dataset_id": …}}, not empty; '
            "let a Distributed Map with an ItemBatcher read the list that the step before wrote"
        )
    return cast(Answer, batch)


def _index(run: Run, items: list[Answer]) -> Answer:
    for part in items:
        index(run, part)
    return {"parts": len(items)}


def _plan(event: Answer, bucket: S3Store) -> Answer:
    run = find_run(bucket, event.get("dataset_id"))
    place = _place(run)
    planned = {"images": 0, "to_do": 0} if place["sealed"] else plan(run)
    return (
        place
        | planned
        | {"shards": run.request.layout != "folders"}
        | {
            "work_list": {"bucket": bucket.bucket, "key": run.key(WORK_LIST)},
            "results": {"bucket": bucket.bucket, "prefix": run.key(FOLDER)},
        }
    )


def _place(run: Run) -> Answer:
    sealed = exists(run.target, run.sealed_key)
    return {
        "dataset_id": run.dataset_id,
        "bucket": run.target.bucket if isinstance(run.target, S3Store) else None,
        "prefix": run.prefix,
        "uri": run.uri,
        "sealed": sealed,
    }


def _assign_shards(event: Answer, bucket: S3Store) -> Answer:
    run = find_run(bucket, event.get("dataset_id"))
    return assign_shards(run) | {"work_list": {"bucket": bucket.bucket, "key": run.key(PACK_LIST)}}


def _pack(run: Run, items: list[Answer]) -> Answer:
    for item in items:
        pack(run, item["shard"])
    return {"shards": len(items)}


def _seal(event: Answer, bucket: S3Store) -> Answer:
    return seal(find_run(bucket, event.get("dataset_id")))


_STEPS: dict[Any, Callable[[Answer, S3Store], Answer]] = {
    "open": _open,
    "plan": _plan,
    "assign_shards": _assign_shards,
    "seal": _seal,
}
_BATCH_STEPS: dict[Any, Callable[[Run, list[Answer]], Answer]] = {
    "index": _index,
    "arrange": arrange,
    "pack": _pack,
}
