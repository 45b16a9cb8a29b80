"""An own bucket through the Lambda's steps, on a real S3 over HTTP, as the state machine calls them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from arro3.core import DataType

from data_prep.errors import BadRequest
from data_prep.handler import handler
from tests.unit.core.parquet_files import column, parquet
from tests.unit.data_prep.test_own_sources import photographs

STAGE, HALL = "own-stage", "own-hall"


@pytest.fixture
def hall(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """The photographs in a bucket of the customer's; their labels lie there too, and as class folders."""
    monkeypatch.setenv("BUCKET", STAGE)
    for bucket in (STAGE, HALL):
        s3.create_bucket(Bucket=bucket)
    made = photographs(tmp_path)
    for name, count, group in made:
        data = (tmp_path / name).read_bytes()
        s3.put_object(Bucket=HALL, Key=f"photos/{name}", Body=data)
        s3.put_object(Bucket=HALL, Key=f"folders/{count}/{group}/{name}", Body=data)
    s3.put_object(Bucket=HALL, Key="folders/3/", Body=b"")  # as S3's console makes a folder
    rows = "".join(f'"{name}",{count},{group}\n' for name, count, group in made)
    s3.put_object(
        Bucket=HALL, Key="labels/of 2026.csv", Body=f"image,count,group\n{rows}gone.jpg,1,\n".encode()
    )
    return made


def prepare(s3: Any, source: dict[str, Any], **fields: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Every step once; the answer of seal, and the manifest."""
    opened = handler({"step": "open", "request": {"source": {"bucket": HALL} | source} | fields}, None)
    dataset_id = opened["dataset_id"]

    def over(name: str, key: str) -> None:
        items = json.loads(s3.get_object(Bucket=STAGE, Key=key)["Body"].read())
        for start in range(0, len(items), 50):
            batch = {"step": name, "dataset_id": dataset_id}
            handler({"Items": items[start : start + 50], "BatchInput": batch}, None)

    over("index", opened["parts"]["key"])
    planned = handler({"step": "plan", "dataset_id": dataset_id}, None)
    over("arrange", planned["work_list"]["key"])
    if planned["shards"]:
        over("pack", handler({"step": "assign_shards", "dataset_id": dataset_id}, None)["work_list"]["key"])
    sealed = handler({"step": "seal", "dataset_id": dataset_id}, None)
    manifest = s3.get_object(Bucket=STAGE, Key=sealed["prefix"] + "manifest.jsonl.gz")["Body"].read()
    return sealed, [json.loads(line) for line in gzip.decompress(manifest).splitlines()]


def test_a_parquet_beside_a_prefix_makes_the_same_dataset(s3: Any, hall: list[tuple[str, int, str]]) -> None:
    names, counts, groups = zip(*hall, strict=True)
    data = parquet(
        image=column(list(names), DataType.utf8()),
        count=column(list(counts), DataType.int64()),
        group=column(list(groups), DataType.utf8()),
    )
    s3.put_object(Bucket=HALL, Key="labels/all.parquet", Body=data)
    source = {"prefix": "photos/", "kind": "table", "labels": f"s3://{HALL}/labels/all.parquet"}
    _, manifest = prepare(s3, source)
    found = {(line["name"], line["count"], line["block"]) for line in manifest}
    assert found == {(name, count, f"group:{group}") for name, count, group in hall}


@pytest.mark.parametrize("layout", ["folders", "shards"])
def test_a_table_beside_a_prefix_makes_a_dataset(
    s3: Any, hall: list[tuple[str, int, str]], layout: str
) -> None:
    labels = f"s3://{HALL}/labels/of 2026.csv"
    source = {"prefix": "photos/", "kind": "table", "labels": labels}
    sealed, manifest = prepare(s3, source, layout=layout)
    assert {(line["name"], line["count"]) for line in manifest} == {(name, count) for name, count, _ in hall}
    assert sealed["rejected"] == 1
    again, _ = prepare(s3, source, layout=layout)
    assert again == sealed


def test_class_folders_below_a_prefix_make_a_dataset(s3: Any, hall: list[tuple[str, int, str]]) -> None:
    _, manifest = prepare(s3, {"prefix": "folders/", "kind": "class-folders"})
    assert {(line["name"], line["block"]) for line in manifest} == {
        (f"{count}/{group}/{name}", f"group:{group}/{name.rpartition('/')[0]}") for name, count, group in hall
    }


def test_only_counts_that_are_asked_for_are_taken(s3: Any, hall: list[tuple[str, int, str]]) -> None:
    labels = f"s3://{HALL}/labels/of 2026.csv"
    source = {"prefix": "photos/", "kind": "table", "labels": labels}
    with pytest.raises(BadRequest, match="selects no usable image"):
        prepare(s3, source, counts=[7, 9])


def test_a_source_that_holds_the_stages_datasets_is_an_error(
    s3: Any, hall: list[tuple[str, int, str]]
) -> None:
    with pytest.raises(BadRequest, match="inside the source"):
        handler({"step": "open", "request": {"source": {"bucket": STAGE, "kind": "class-folders"}}}, None)


@pytest.mark.parametrize("change", [{"name": "../x"}, {"id": "00900"}, {"block": None}, {"name": 7}])
def test_an_item_that_plan_did_not_write_is_not_arranged(
    s3: Any, hall: list[tuple[str, int, str]], change: dict[str, Any]
) -> None:
    source = {"bucket": HALL, "prefix": "folders/", "kind": "class-folders"}
    opened = handler({"step": "open", "request": {"source": source}}, None)
    planned = handler({"step": "plan", "dataset_id": opened["dataset_id"]}, None)
    work = s3.get_object(Bucket=STAGE, Key=planned["work_list"]["key"])["Body"].read()
    item = json.loads(work)[0] | change
    batch = {"step": "arrange", "dataset_id": opened["dataset_id"]}
    with pytest.raises(BadRequest, match="1 other item"):
        handler({"Items": [item], "BatchInput": batch}, None)
