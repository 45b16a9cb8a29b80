"""What production captured and people labelled becomes a dataset, on a real S3, by each part's own code."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bincount.labels.forget import forget
from bincount.labels.labelled import labelled_images, upload
from bincount.stage.stage import Stage
from data_prep.storage import s3_store
from tests.unit.client.conftest import Bincount, bincount
from tests.unit.data_prep.conftest import all_splits, jpeg
from tests.unit.data_prep.test_own_sources_s3 import prepare
from tests.unit.monitoring.conftest import BUCKET, Calls
from tests.unit.monitoring.test_kept_images import line, sort, stage

__all__ = ["bincount", "sort", "stage"]
HOURS = 40


@pytest.fixture
def production(
    s3: Any,
    sort: Callable[..., dict[str, int]],  # noqa: F811
    calls: Calls,
) -> Iterator[dict[str, int]]:
    """Two answers in each of some hours, all asked for review; {request id: what a person counted}."""
    counted: dict[str, int] = {}
    for hour in range(HOURS):
        time = f"2026-11-{1 + hour // 24:02d}T{hour % 24:02d}:20:01Z"
        names = [f"{hour:03d}-{n}" for n in range(2)]
        lines = [
            line(name, review=True, image=jpeg(seed=2 * hour + n)).replace(
                b"2026-11-28T13:20:01Z", time.encode()
            )
            for n, name in enumerate(names)
        ]
        sort(*lines, key=f"capture/e/AllTraffic/2026/11/{hour}.jsonl")
        for n, name in enumerate(names):
            counted[name] = 1 + (hour + n) % 3
            calls.label(name, 9)
            calls.label(name, counted[name])
    s3_store.forget_clients()
    yield counted
    s3_store.forget_clients()


def test_the_last_labels_of_kept_images_make_a_dataset_split_by_hours(
    s3: Any,
    stage: Stage,  # noqa: F811
    sort: Callable[..., dict[str, int]],  # noqa: F811
    calls: Calls,
    production: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls.label("no-image", 2)
    sort(line("no-label", review=True))
    found = labelled_images(stage)
    assert {row.request_id: row.count for row in found.rows} == production
    assert (found.without_image, found.without_label) == (1, 1)
    assert upload(stage, found) == f"s3://{BUCKET}/images/labelled.csv"

    request = found.request()
    monkeypatch.setattr("tests.unit.data_prep.test_own_sources_s3.STAGE", BUCKET)
    sealed, manifest = prepare(s3, request["source"], counts=request["counts"])
    assert {each["name"].split("/")[0]: each["count"] for each in manifest} == production
    assert sealed["rejected"] == 0
    sides: dict[str, set[str]] = {}
    for each in manifest:
        sides.setdefault(each["block"], set()).add(each["split"])
    assert len(sides) == HOURS and all(len(splits) == 1 for splits in sides.values())
    assert set().union(*sides.values()) == {"train", "validation", "test"}

    (left,) = forget(stage, "000-0").left
    assert sealed["dataset_id"] in left


def test_a_later_label_moves_no_image_to_another_side(
    s3: Any,
    stage: Stage,  # noqa: F811
    calls: Calls,
    production: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.unit.data_prep.test_own_sources_s3.STAGE", BUCKET)

    def sides() -> dict[str, str]:
        found = labelled_images(stage)
        upload(stage, found)
        _, manifest = prepare(s3, found.request()["source"], counts=[1, 3])
        return {each["name"]: each["split"] for each in manifest}

    before = sides()
    for request_id in list(production)[::7]:
        calls.label(request_id, 1 + production[request_id] % 3)
    assert sides() == before


def test_labels_stand_beside_home_in_one_dataset(
    s3: Any,
    stage: Stage,  # noqa: F811
    calls: Calls,
    production: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.unit.data_prep.test_own_sources_s3.STAGE", BUCKET)
    for seed, (identity, count) in enumerate(all_splits(1, 2, 3).items()):
        s3.put_object(Bucket=BUCKET, Key=f"home/bin-images/{identity}.jpg", Body=jpeg(seed=900 + seed))
        label = json.dumps({"EXPECTED_QUANTITY": count}).encode()
        s3.put_object(Bucket=BUCKET, Key=f"home/metadata/{identity}.json", Body=label)
    home = {"bucket": BUCKET, "prefix": "home/"}

    def manifest() -> dict[str, dict[str, Any]]:
        found = labelled_images(stage)
        upload(stage, found)
        _, lines = prepare(s3, home, counts=[1, 3], field=found.field())
        return {line.get("name", line["id"]).split("/")[0]: line for line in lines}

    before = manifest()
    assert len(before) == len(all_splits(1, 2, 3)) + len(production)
    assert {name for name, line in before.items() if line.get("source") == "field"} == production.keys()
    heavy = {name for name, line in before.items() if line.get("weight") == 3}
    assert heavy == {name for name in production if before[name]["split"] == "train"}

    calls.label("001-0", 1 + production["001-0"] % 3)
    forget(stage, "000-0")
    after = manifest()
    assert before.keys() - after.keys() == {"000-0"}
    assert after["001-0"]["count"] != production["001-0"]
    assert all(after[name]["split"] == before[name]["split"] for name in after)


def test_the_command_writes_table_and_request(
    stage: Stage,  # noqa: F811
    sort: Callable[..., dict[str, int]],  # noqa: F811
    calls: Calls,
    bincount: Bincount,  # noqa: F811
    s3_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    cloud = s3_environment | {"AWS_REGION": "us-east-1"}
    assert "capture.inputs" in bincount("labelled", check=1, **cloud).stderr
    assert "capture.inputs" in bincount("train", "--field", check=1, **cloud).stderr
    assert "give --field" in bincount("train", "--field-weight", "2", check=1, **cloud).stderr
    sort(line("a/b", review=True, kind="image/png"))
    calls.label("a/b", 4)
    done = bincount("labelled", "--upload", check=0, **cloud)
    assert "1 labelled images" in done.stdout and "bincount train --request" in done.stdout
    table = (tmp_path / "labelled" / "labelled.csv").read_text()
    assert table == "image,count,taken_at\na%2Fb/image.png,4,2026-11-28T13:20:01Z\n"
    request = json.loads((tmp_path / "labelled" / "request.json").read_text())
    assert request["counts"] == [4, 4] and request["source"]["kind"] == "table"
