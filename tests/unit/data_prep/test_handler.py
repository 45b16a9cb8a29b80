"""The Lambda steps on a real S3 over HTTP, called as the state machine calls them."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bincount_sources.split import SPLITS
from data_prep.errors import BadRequest, NotReconciled
from data_prep.handler import handler
from data_prep.report.trainable import weaknesses
from data_prep.select.blocks import split_of
from data_prep.storage.s3_store import S3Store

BUCKET = "stage"
COUNTS = {f"{block * 100 + place:05d}": (block + place) % 4 for block in range(12) for place in range(4)}


@pytest.fixture
def request_for(
    s3: Any,
    upload: Callable[[Path, str], None],
    make_source: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, Any]]:
    """A request for a fresh source bucket; the stage's bucket is shared, as in life."""
    monkeypatch.setenv("BUCKET", BUCKET)
    s3.create_bucket(Bucket=BUCKET)

    def make(bucket: str, **fields: Any) -> dict[str, Any]:
        upload(make_source(COUNTS), bucket)
        return {"source": {"bucket": bucket}, "file_list": f"s3://{bucket}/file_list.json"} | fields

    return make


def weaknesses_of(labels: dict[str, int]) -> list[str]:
    counts: dict[str, Counter[int]] = {split: Counter() for split in SPLITS}
    for identity, count in labels.items():
        counts[split_of(identity, validation_share=0.2)][count] += 1
    return weaknesses(counts)


def read(s3: Any, key: str) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def work_of(s3: Any, planned: dict[str, Any]) -> list[dict[str, Any]]:
    return json.loads(read(s3, planned["work_list"]["key"]))


def plan(request: dict[str, Any]) -> dict[str, Any]:
    opened = handler({"step": "open", "request": request}, None)
    return handler({"step": "plan", "dataset_id": opened["dataset_id"]}, None)


def arrange(dataset_id: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return handler({"Items": items, "BatchInput": {"step": "arrange", "dataset_id": dataset_id}}, None)


def test_plan_arrange_and_seal_make_a_dataset(s3: Any, request_for: Callable[..., dict[str, Any]]) -> None:
    planned = plan(request_for("whole"))

    items = work_of(s3, planned)
    assert not planned["sealed"]
    assert planned["images"] == len(items) == len(COUNTS)
    answers = [
        arrange(planned["dataset_id"], items[start : start + 10]) for start in range(0, len(items), 10)
    ]
    assert sum(answer["accepted"] for answer in answers) == len(COUNTS)

    sealed = handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)
    assert sealed == {
        "dataset_id": planned["dataset_id"],
        "prefix": planned["prefix"],
        "uri": f"s3://{BUCKET}/{planned['prefix']}",
        "images": len(COUNTS),
        "rejected": 0,
        "warnings": weaknesses_of(COUNTS),
    }
    manifest = [
        json.loads(line)
        for line in gzip.decompress(read(s3, sealed["prefix"] + "manifest.jsonl.gz")).splitlines()
    ]
    assert {line["id"]: line["count"] for line in manifest} == COUNTS
    for line in manifest:
        stored = read(s3, sealed["prefix"] + line["key"])
        assert stored == s3.get_object(Bucket="whole", Key=f"bin-images/{line['id']}.jpg")["Body"].read()


def test_a_sealed_dataset_is_planned_as_sealed_and_not_touched(
    s3: Any, request_for: Callable[..., Any]
) -> None:
    request = request_for("sealed")
    planned = plan(request)
    arrange(planned["dataset_id"], work_of(s3, planned))
    first = handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)
    before = s3.head_object(Bucket=BUCKET, Key=first["prefix"] + "dataset.json")

    assert plan(request)["sealed"]
    assert handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None) == first
    after = s3.head_object(Bucket=BUCKET, Key=first["prefix"] + "dataset.json")
    assert (before["ETag"], before["LastModified"]) == (after["ETag"], after["LastModified"])


def test_open_and_index_leave_plan_nothing_to_read(s3: Any, request_for: Callable[..., Any]) -> None:
    request = request_for("opened")
    opened = handler({"step": "open", "request": request}, None)
    parts = json.loads(read(s3, opened["parts"]["key"]))
    answer = handler(
        {"Items": parts, "BatchInput": {"step": "index", "dataset_id": opened["dataset_id"]}}, None
    )
    assert answer == {"parts": len(parts)}
    assert opened["parts"]["count"] == len(parts)

    for identity in COUNTS:
        s3.delete_object(Bucket="opened", Key=f"metadata/{identity}.json")
    assert plan(request)["images"] == len(COUNTS)


def test_counts_select_from_a_listing(s3: Any, request_for: Callable[..., Any]) -> None:
    request = request_for("listed", file_list=None, counts=[1, 2])
    planned = plan(request)
    assert {item["id"] for item in work_of(s3, planned)} == {
        i for i, count in COUNTS.items() if count in (1, 2)
    }


def test_after_a_crash_only_what_is_missing_is_planned(s3: Any, request_for: Callable[..., Any]) -> None:
    request = request_for("crashed")
    planned = plan(request)
    items = work_of(s3, planned)
    arrange(planned["dataset_id"], items[10:20])

    with pytest.raises(
        NotReconciled, match=r"^NotReconciled: .* 38 image\(s\) were planned but have no record"
    ):
        handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)
    assert not [key for key in keys(s3, planned["prefix"]) if key.endswith("dataset.json")]

    again = plan(request)
    assert again["images"] == len(COUNTS)
    assert work_of(s3, again) == items[:10] + items[20:]
    arrange(planned["dataset_id"], work_of(s3, again))
    assert handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)["images"] == len(COUNTS)


def keys(s3: Any, prefix: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def test_the_same_batch_twice_is_recorded_once(s3: Any, request_for: Callable[..., Any]) -> None:
    planned = plan(request_for("twice"))
    items = work_of(s3, planned)
    arrange(planned["dataset_id"], items)
    arrange(planned["dataset_id"], items)
    arrange(planned["dataset_id"], items[5:9])
    assert handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)["images"] == len(COUNTS)


def test_an_image_that_changed_or_went_since_the_plan_is_rejected(
    s3: Any, request_for: Callable[..., Any]
) -> None:
    planned = plan(request_for("moving"))
    items = work_of(s3, planned)
    s3.put_object(Bucket="moving", Key=f"bin-images/{items[0]['id']}.jpg", Body=b"something else")
    s3.delete_object(Bucket="moving", Key=f"bin-images/{items[1]['id']}.jpg")
    assert arrange(planned["dataset_id"], items) == {"accepted": len(COUNTS) - 2, "rejected": 2}

    sealed = handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)
    lines = gzip.decompress(read(s3, sealed["prefix"] + "rejected.jsonl.gz")).splitlines()
    assert {line["id"]: line["reason"] for line in map(json.loads, lines)} == {
        items[0]["id"]: "changed",
        items[1]["id"]: "missing_image",
    }


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            {"step": "explode"},
            "step is 'explode'; expected one of open, plan, assign_shards, seal, index, arrange, pack",
        ),
        ({}, "step is None"),
        ({"step": "seal", "dataset_id": "../../etc"}, "expected the one that the open step answered"),
        ({"step": "seal", "dataset_id": "bins-000000000000"}, "run the open step with its request first"),
        ({"step": "open", "request": {"source": {"directory": "/etc"}, "counts": [1, 5]}}, "name a bucket"),
        ({"step": "open"}, "the request has 1 fault"),
        (
            {"step": "plan", "request": {"source": {"bucket": "abc"}, "counts": [1, 5]}},
            "dataset_id is 'None'",
        ),
        ({"step": "arrange"}, 'expected {"Items": [item, …]'),
        ({"BatchInput": {"step": "pack", "dataset_id": "x"}, "Items": []}, "not empty"),
        ({"BatchInput": {"step": "index"}, "Items": [{}]}, "not empty"),
    ],
)
def test_an_event_that_no_step_takes_is_a_bad_request(
    event: dict[str, Any], message: str, request_for: Callable[..., Any]
) -> None:
    with pytest.raises(BadRequest) as error:
        handler(event, None)
    assert str(error.value).startswith("BadRequest: ")
    assert message in str(error.value)


@pytest.mark.parametrize("change", [{"id": "../../x"}, {"split": "../.."}, {"count": "3"}, {"id": None}])
def test_an_item_that_plan_did_not_write_is_a_bad_request(
    s3: Any, request_for: Callable[..., Any], change: dict[str, Any]
) -> None:
    planned = plan(request_for("forged"))
    with pytest.raises(BadRequest, match="arrange got 1 other item"):
        arrange(planned["dataset_id"], [work_of(s3, planned)[0] | change])


def test_shards_are_dealt_packed_and_sealed(s3: Any, request_for: Callable[..., Any]) -> None:
    planned = plan(request_for("sharded", layout="both"))
    assert planned["shards"]
    arrange(planned["dataset_id"], work_of(s3, planned))
    assigned = handler({"step": "assign_shards", "dataset_id": planned["dataset_id"]}, None)
    items = json.loads(read(s3, assigned["work_list"]["key"]))
    assert len(items) == assigned["shards"]
    batch = {"step": "pack", "dataset_id": planned["dataset_id"]}
    assert handler({"Items": items, "BatchInput": batch}, None) == {"shards": len(items)}
    handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)
    stored = [key for key in keys(s3, planned["prefix"]) if key.endswith(".tar")]
    assert len(stored) == assigned["shards"]


def test_only_the_first_of_two_creations_of_an_object_counts(s3: Any) -> None:
    s3.create_bucket(Bucket="create-once")
    store = S3Store(bucket="create-once")
    assert [store.create("key", data, content_type="text/plain") for data in (b"first", b"second")] == [
        True,
        False,
    ]
    assert store.read("key") == b"first"


@pytest.mark.parametrize("first_unsigned", [True, False])
def test_a_signed_and_an_unsigned_bucket_are_read_in_one_process(s3: Any, first_unsigned: bool) -> None:
    for unsigned in (first_unsigned, not first_unsigned):
        bucket = f"both-ways-{first_unsigned}-{unsigned}".lower()
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="key", Body=b"content")
        store = S3Store(bucket=bucket, unsigned=unsigned)
        assert [info.key for info in store.list("")] == ["key"]
        assert store.read("key") == b"content"


SQUARES = {"layout": "shards", "stored": {"short_side": 32, "square": True}}
COUNTED: dict[str, Any] = {"file_list": None, "counts": [0, 5]}


@pytest.mark.parametrize("fields", [{}, COUNTED | SQUARES], ids=["listed", "shards of squares"])
def test_a_public_bucket_becomes_a_dataset(
    fields: dict[str, Any], s3: Any, request_for: Callable[..., dict[str, Any]]
) -> None:
    bucket = f"public-{len(fields)}"
    request = request_for(bucket, **fields) | {"source": {"bucket": bucket, "unsigned": True}}
    opened = handler({"step": "open", "request": request}, None)
    batch = {"dataset_id": opened["dataset_id"]}
    parts = json.loads(read(s3, opened["parts"]["key"]))
    handler({"Items": parts, "BatchInput": {"step": "index"} | batch}, None)
    planned = handler({"step": "plan"} | batch, None)
    arrange(planned["dataset_id"], work_of(s3, planned))
    if planned["shards"]:
        assigned = handler({"step": "assign_shards"} | batch, None)
        shards = json.loads(read(s3, assigned["work_list"]["key"]))
        handler({"Items": shards, "BatchInput": {"step": "pack"} | batch}, None)
    sealed = handler({"step": "seal"} | batch, None)
    assert (sealed["images"], sealed["rejected"]) == (len(COUNTS), 0)
