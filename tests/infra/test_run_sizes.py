"""`local` is `dev` in smaller sizes: one list in cdk.json, held to what makes a run bigger or slower."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo.cloud import run_sizes
from demo.weights import WeightsMirror
from infra.settings import Settings, load, paths
from tests.infra.conftest import context

SIZES = {
    # instance types
    "training.instance_type",
    "gate.instance_type",
    "recount.instance_type",
    "serving.instance_type",
    # how much is done, and how much of it at a time
    "data_prep.max_concurrency",
    "gate.min_images",
    "training.max_jobs",
    "training.max_parallel_jobs",
    # network and how much of it is trained, resolution, epochs; images in a step, as few as there are
    "training.arch",
    "training.fixed",
    "training.image_size",
    "training.epochs",
    "training.batch_sizes",
    # waiting times
    "training.max_runtime_seconds",
    "release.poll_seconds",
    "release.settle_seconds",
    "release.timeout_minutes",
    "serving.bake_seconds",
}
"""All that the list may hold (docs/decisions/0025-one-list-of-sizes.md)."""
OF_THIS_MACHINE = {"training.weights_source", "training.weights_sha256"}


def _flat(settings: Settings) -> dict[str, Any]:
    values = settings.model_dump()
    return {f"{s}.{f}" if s else f: values[s][f] if s else values[f] for s, f in paths()}


def test_the_list_holds_nothing_but_sizes() -> None:
    assert set(run_sizes()) <= SIZES


def test_local_is_dev_with_the_list_and_nothing_else() -> None:
    local, dev = _flat(load(context(stage="local").get)), _flat(load(context(stage="dev").get))
    assert {name for name in dev if local[name] != dev[name]} <= set(run_sizes()) | {"stage"}
    assert local == {**_flat(load(context(stage="dev", **run_sizes()).get)), "stage": "local"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_list_changes_a_stage_in_its_sizes_only(stage: str) -> None:
    before = _flat(load(context(stage=stage).get))
    after = _flat(load(context(stage=stage, **run_sizes()).get))
    assert {name for name in before if before[name] != after[name]} <= SIZES


def test_the_machines_own_settings_are_where_weights_come_from(tmp_path: Path) -> None:
    (tmp_path / "resnet18-f37072fd.pth").write_bytes(b"weights")
    with WeightsMirror(tmp_path, arch="resnet18") as mirror:
        assert set(mirror.settings) == OF_THIS_MACHINE


def test_no_code_that_is_deployed_knows_the_stage_local() -> None:
    root = Path(__file__).resolve().parents[2]
    rooms = ("infra", "training", "inference", "data_prep", "client")
    found = [
        str(path.relative_to(root))
        for room in rooms
        for path in (root / room).rglob("*.py")
        if any(quoted in path.read_text() for quoted in ('== "local"', '!= "local"', '"local", "dev"'))
    ]
    assert found == []


def test_a_stage_that_waits_for_alarms_still_does_so_in_these_sizes() -> None:
    stages = json.loads((Path(__file__).resolve().parents[2] / "cdk.json").read_text())["context"]["stages"]
    for stage in ("dev", "prod"):
        assert stages[stage]["serving"]["bake_seconds"] > 0
    assert int(run_sizes()["serving.bake_seconds"]) > 0
