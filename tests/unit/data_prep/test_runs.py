"""A run keeps what it was begun with, and one that went wrong is not in the next one's way."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_prep.cli import make_dataset
from data_prep.errors import BadRequest, NotReconciled
from data_prep.handler import handler
from data_prep.run import find_run
from data_prep.steps.arrange import arrange
from data_prep.steps.assign_shards import assign_shards
from data_prep.steps.plan import plan, remaining
from data_prep.steps.records import write_records
from data_prep.steps.seal import seal
from tests.unit.data_prep.conftest import arranged, begin

COUNTS = {f"{block * 100 + place:05d}": (block + place) % 3 for block in range(40) for place in range(2)}
STEPS = ("open", "index", "plan", "arrange", "assign_shards", "pack", "seal")
OTHER_LIST = json.dumps({"2": [f"data/metadata/{identity}.json" for identity in sorted(COUNTS)[:30]]})


@pytest.fixture
def source(make_source: Callable[..., Path]) -> Path:
    return make_source(COUNTS)


def ids(dataset: Path) -> list[str]:
    lines = gzip.decompress((dataset / "manifest.jsonl.gz").read_bytes()).splitlines()
    return [json.loads(line)["id"] for line in lines]


def steps(s3: Any, bucket: str, request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The names and answers of all steps, as the state machine calls them."""

    def batch(step: str, answer: dict[str, Any], place: str) -> dict[str, Any]:
        items = json.loads(s3.get_object(Bucket=bucket, Key=answer[place]["key"])["Body"].read())
        return handler({"Items": items, "BatchInput": {"step": step} | started}, None)

    opened = handler({"step": "open", "request": request}, None)
    started = {"dataset_id": opened["dataset_id"]}
    yield "open", opened
    yield "index", batch("index", opened, "parts")
    planned = handler({"step": "plan"} | started, None)
    yield "plan", planned
    yield "arrange", batch("arrange", planned, "work_list")
    assigned = handler({"step": "assign_shards"} | started, None)
    yield "assign_shards", assigned
    yield "pack", batch("pack", assigned, "work_list")
    yield "seal", handler({"step": "seal"} | started, None)


@pytest.mark.parametrize("overwritten_after", STEPS[:-1])
def test_a_list_that_is_overwritten_meanwhile_changes_nothing(
    overwritten_after: str,
    s3: Any,
    upload: Callable[[Path, str], None],
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = overwritten_after.replace("_", "-")
    images, stage = f"rewritten-{name}", f"stage-{name}"
    upload(source, images)
    s3.create_bucket(Bucket=stage)
    monkeypatch.setenv("BUCKET", stage)
    request = {
        "source": {"bucket": images},
        "file_list": f"s3://{images}/file_list.json",
        "layout": "both",
    }
    sealed: dict[str, Any] = {}
    for name, answer in steps(s3, stage, request):
        sealed = answer
        if name == overwritten_after:
            s3.put_object(Bucket=images, Key="file_list.json", Body=OTHER_LIST)
    assert (sealed["images"], sealed["rejected"]) == (len(COUNTS), 0)

    (_, again), *_ = steps(s3, stage, request)
    assert again["dataset_id"] != sealed["dataset_id"] and not again["sealed"]


def test_images_that_were_uploaded_after_a_failed_run_are_found(source: Path, tmp_path: Path) -> None:
    shutil.move(source / "bin-images", tmp_path / "later")
    with pytest.raises(BadRequest, match="selects no usable image"):
        make_dataset(begin(source, tmp_path / "target"), quiet=True)
    shutil.move(tmp_path / "later", source / "bin-images")
    dataset = tmp_path / "target" / make_dataset(begin(source, tmp_path / "target"), quiet=True)["prefix"]
    assert ids(dataset) == sorted(COUNTS)


def test_a_run_with_contradicting_records_is_begun_anew(source: Path, tmp_path: Path) -> None:
    run, items = arranged(source, tmp_path)
    arrange(run, [items[3] | {"count": 7}])
    with pytest.raises(NotReconciled, match="differ .*start it again, it begins anew"):
        seal(run)
    assert ids(tmp_path / make_dataset(begin(source, tmp_path), quiet=True)["prefix"]) == sorted(COUNTS)


def test_a_run_with_unplanned_records_is_begun_anew_more_than_once(source: Path, tmp_path: Path) -> None:
    for _ in range(3):
        run = begin(source, tmp_path)
        plan(run)
        write_records(run, [{"id": "99999", "reason": "empty"}])
        with pytest.raises(NotReconciled, match="have a record but were not planned"):
            seal(run)
    run = begin(source, tmp_path)
    assert run.attempt == 4 == find_run(run.target, run.dataset_id).attempt
    assert ids(tmp_path / make_dataset(run, quiet=True)["prefix"]) == sorted(COUNTS)


def test_a_run_whose_stored_image_was_spoiled_is_begun_anew(source: Path, tmp_path: Path) -> None:
    run = begin(source, tmp_path, layout="shards")
    plan(run)
    items = list(remaining(run))
    arrange(run, items)
    (tmp_path / run.staged_key(items[0])).write_bytes(b"something else")
    with pytest.raises(NotReconciled, match="is not what was recorded; start it again"):
        make_dataset(run, quiet=True)
    again = begin(source, tmp_path, layout="shards")
    assert ids(tmp_path / make_dataset(again, quiet=True)["prefix"]) == sorted(COUNTS)


def test_a_crash_is_no_reason_to_begin_anew(source: Path, tmp_path: Path) -> None:
    run = begin(source, tmp_path)
    plan(run)
    arrange(run, list(remaining(run))[:50])
    with pytest.raises(NotReconciled, match="were planned but have no record"):
        seal(run)
    again = begin(source, tmp_path)
    assert (again.attempt, plan(again)) == (1, {"images": len(COUNTS), "to_do": len(COUNTS) - 50})


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("plan", "BadRequest: .*run the open step"),
        ("assign_shards", "NotReconciled: .*run the plan step"),
        ("seal", "NotReconciled: .*run assign_shards and pack"),
    ],
)
def test_a_step_out_of_its_turn_names_the_one_before(
    step: str, message: str, source: Path, tmp_path: Path
) -> None:
    run = begin(source, tmp_path, layout="shards")
    (tmp_path / run.key("index.json")).unlink()
    with pytest.raises((BadRequest, NotReconciled), match=f"^{message}"):
        {"plan": plan, "assign_shards": assign_shards, "seal": seal}[step](run)
