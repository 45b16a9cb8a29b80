"""Seal: reconciles, writes the manifest, the rejected list and the report, and last of all dataset.json."""

import heapq
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bincount_sources.split import BLOCK, RULE
from data_prep.errors import NotReconciled, NotTrainable
from data_prep.report.page import report
from data_prep.report.trainable import field_weaknesses, require_trainable, weaknesses
from data_prep.run import Run, folder_key, is_field, request_key
from data_prep.select.statistics import Statistics
from data_prep.steps.assign_shards import PACK_LIST, SHARDS, shard_key, shard_name
from data_prep.steps.leaks import leak_warnings
from data_prep.steps.pack import PACKED, packed_key
from data_prep.steps.plan import REJECTED as REJECTED_EARLY
from data_prep.steps.plan import SUMMARY
from data_prep.steps.reconcile import reconcile
from data_prep.steps.records import identity_of
from data_prep.storage.lines import Line, create_json, read_json, read_lines, write_lines
from data_prep.storage.store import Missing

MANIFEST = "manifest.jsonl.gz"
REJECTED = "rejected.jsonl.gz"
REPORT = "dataset.html"


def seal(run: Run) -> dict[str, Any]:
    """Make the dataset exist; answers {dataset_id, prefix, uri, images, rejected, warnings}.

    A dataset that is sealed already is answered from its dataset.json and not touched.
    Raises NotReconciled where records and plan do not match, or where no image was accepted, NotTrainable
    where too few are left to train on, LeakingSplit where near-duplicates are in two splits.
    """
    try:
        return _answer(run, read_json(run.target, run.sealed_key))
    except Missing:
        # Another run of the same request may have sealed it meanwhile: then that seal is the one that counts.
        create_json(run.target, run.sealed_key, _write(run))
        return _answer(run, read_json(run.target, run.sealed_key))


def _answer(run: Run, dataset: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset_id": run.dataset_id,
        "prefix": run.prefix,
        "uri": run.uri,
        "images": dataset["images"],
        "rejected": sum(dataset["rejected"].values()),
        "warnings": dataset["warnings"],
    }


def _write(run: Run) -> dict[str, Any]:
    statistics = Statistics()
    write_lines(run.target, run.prefix + MANIFEST, _manifest(run, statistics))
    leaks = [*leak_warnings(run)]
    write_lines(run.target, run.prefix + REJECTED, _rejected(run, statistics))
    summary = read_json(run.target, run.key(SUMMARY))
    _account(run, statistics, summary)
    dataset = _dataset(run, statistics, summary)
    dataset["warnings"] += leaks
    page = report(dataset, statistics, statistics.gallery.thumbnails(run))
    run.target.write(run.prefix + REPORT, page.encode(), content_type="text/html; charset=utf-8")
    return dataset


def _account(run: Run, statistics: Statistics, summary: dict[str, Any]) -> None:
    planned, early, rejected = summary["planned"], summary["rejected"], statistics.rejected.total()
    fault = None
    if statistics.images + rejected != planned + early:
        found = f"{statistics.images} accepted and {rejected} rejected"
        fault = f"{found}, but {planned} were planned and {early} rejected before"
    elif statistics.images == 0:
        fault = f"no image was accepted ({_by_reason(statistics.rejected)}); check the source"
    try:
        if fault:
            raise NotReconciled(f"{run.dataset_id}: {fault}; start it again, it begins anew")
        require_trainable(
            statistics.counts,
            blocks=len(statistics.blocks),
            validation_share=run.request.validation_share,
            own=run.request.source.own,
            hints=[f"rejected were {_by_reason(statistics.rejected)}"] if rejected else [],
        )
    except (NotReconciled, NotTrainable) as error:
        run.abandon(str(error))
        raise


def _by_reason(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {items}" for reason, items in sorted(rejected.items()))


def _manifest(run: Run, statistics: Statistics) -> Iterator[Line]:
    shards = _packed_shards(run) if run.request.layout != "folders" else {}
    for record in reconcile(run):
        if "reason" in record:
            statistics.rejected_by_arrange.append(record)
            continue
        statistics.accept(record)
        record = {name: value for name, value in record.items() if name not in ("dhash", "order")}
        key = folder_key(record) if run.request.layout != "shards" else None
        line = record | _weight(run, record) | {"key": key}
        yield line | {"shard": shard_key(shard_name(record, shards))} if shards else line


def _weight(run: Run, record: Line) -> Line:
    """What a person counted weighs more in training: images of production, and corrected ones of home."""
    field = run.request.field
    if field is None or field.weight == 1 or record["split"] != "train":
        return {}
    return {"weight": field.weight} if is_field(record) or "old_count" in record else {}


def _packed_shards(run: Run) -> dict[str, int]:
    """How many shards each split has. Raises NotReconciled unless all of them are packed."""
    try:
        names = [item["shard"] for item in read_json(run.target, run.key(PACK_LIST))]
        shards = read_json(run.target, run.key(SHARDS))
    except Missing as error:
        raise NotReconciled(
            f"{run.dataset_id}: no shards were assigned; run assign_shards and pack first"
        ) from error
    packed = {info.key for info in run.target.list(run.key(PACKED))}
    missing = [name for name in names if packed_key(run, name) not in packed]
    if missing:
        raise NotReconciled(
            f"{run.dataset_id}: {len(missing)} of {len(names)} shards are not packed; run pack"
        )
    return shards


def _rejected(run: Run, statistics: Statistics) -> Iterator[Line]:
    early = read_lines(run.target, run.key(REJECTED_EARLY))
    for line in heapq.merge(early, statistics.rejected_by_arrange, key=lambda line: line["id"]):
        statistics.rejected[line["reason"]] += 1
        yield identity_of(line) | {"reason": line["reason"], "detail": line.get("detail")}


def _dataset(run: Run, statistics: Statistics, summary: dict[str, Any]) -> dict[str, Any]:
    request = run.request.model_dump(mode="json")
    corrections: dict[str, Any] = {}
    if "corrections" in summary:
        digest = read_json(run.target, request_key(run.dataset_id))["corrections_sha256"]
        corrections = {"corrections": {"sha256": digest, **summary["corrections"]}}
    field: dict[str, Any] = {}
    if run.request.field:
        digest = read_json(run.target, request_key(run.dataset_id))["field_sha256"]
        field = {"field": {"sha256": digest, "weight": run.request.field.weight, "counts": statistics.field}}
    return {
        "schema_version": 1,
        "dataset_id": run.dataset_id,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": request.pop("source"),
        "request": request,
        "split_rule": {"name": RULE, "block": BLOCK, "validation_share": run.request.validation_share},
        "relabelled": summary["relabelled"],
        "not_selected": summary["not_selected"],
        **corrections,
        **field,
        "warnings": summary["warnings"] + weaknesses(statistics.counts) + field_weaknesses(statistics.field),
        **statistics.as_json(),
    }
