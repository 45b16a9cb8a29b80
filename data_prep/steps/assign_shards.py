"""Gives every accepted image its shard, at random but the same in every run."""

import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from data_prep.errors import BadRequest
from data_prep.run import Run
from data_prep.select.draws import draw_of
from data_prep.steps.leaks import check_leaks
from data_prep.steps.reconcile import reconcile
from data_prep.storage.lines import Line, LineSorter, read_json, write_json
from data_prep.storage.store import exists

SHARDS = "shards.json"
PACK_LIST = "pack.json"


def assign_shards(run: Run) -> dict[str, int]:
    """Write a list of images for each shard and the work list of pack; answers {shards}.

    Reconciles first, so that no shard is packed of a run with missing images (NotReconciled), or of a split
    that leaks (LeakingSplit).
    """
    if run.request.layout == "folders":
        raise BadRequest(f"{run.dataset_id} has the layout folders, which has no shards; go on with seal")
    if not exists(run.target, run.key(SHARDS)):
        sizes = _sizes(run)
        check_leaks(run)
        write_json(run.target, run.key(PACK_LIST), _write_lists(run, sizes))
        write_json(run.target, run.key(SHARDS), sizes)
    return {"shards": sum(read_json(run.target, run.key(SHARDS)).values())}


def shard_name(record: Line, shards: dict[str, int]) -> str:
    """`train-000000`, `validation-000000` or `test-000000`, by the id's draw; `shards`: how many each
    split has."""
    split = record["split"]
    return f"{split}-{draw_of(record['id'], purpose='shard') % shards[split]:06d}"


def shard_key(name: str) -> str:
    """A shard's key in a dataset."""
    return f"shards/{name}.tar"


def list_key(run: Run, name: str) -> str:
    """Where the list of a shard's images is."""
    return run.key(f"shards/{name}.jsonl.gz")


def _sizes(run: Run) -> dict[str, int]:
    total: Counter[str] = Counter()
    for record in reconcile(run):
        if "reason" not in record:
            total[record["split"]] += record["bytes"]
    most = run.request.shard_mb * 1_000_000
    return {split: math.ceil(size / most) for split, size in sorted(total.items())}


def _write_lists(run: Run, shards: dict[str, int]) -> list[dict[str, Any]]:
    names = [f"{split}-{number:06d}" for split, count in shards.items() for number in range(count)]
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        lists = LineSorter(Path(scratch), keys=[list_key(run, name) for name in names])
        for record in reconcile(run):
            if "reason" not in record:
                lists.add(list_key(run, shard_name(record, shards)), record)
        lists.write(run.target)
    return [{"shard": name} for name in names]
