"""Ground Truth's augmented manifest: where the count is in each kind of job, and what is rejected."""

import json
from typing import Any

import pytest

from bincount_sources.found import BadLabels, Found
from bincount_sources.read import read_labels

REF = "s3://hall/photos/a.jpg"


def read(*lines: Any, attribute: str | None = None) -> Found:
    data = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return read_labels(
        data.encode(), kind="ground-truth", attribute=attribute, bucket="hall", prefix="photos/"
    )


def classified(name: Any) -> dict[str, Any]:
    metadata = {"type": "groundtruth/image-classification", "class-name": name, "confidence": 0.9}
    return {"source-ref": REF, "bins": 0, "bins-metadata": metadata}


def boxes(number: int) -> dict[str, Any]:
    box = {"class_id": 0, "left": 1, "top": 1, "width": 9, "height": 9}
    return {
        "source-ref": REF,
        "boxes": {"image_size": [{"width": 9, "height": 9, "depth": 3}], "annotations": [box] * number},
        "boxes-metadata": {"type": "groundtruth/object-detection", "class-map": {"0": "thing"}},
    }


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (classified("3"), 3),
        (classified("12"), 12),
        (boxes(4), 4),
        (boxes(0), 0),
        ({"source-ref": REF, "n": 5, "n-metadata": {"type": "groundtruth/custom"}}, 5),
        ({"source-ref": REF, "n": "5", "n-metadata": {}}, 5),
        ({"source-ref": REF, "n": 5.0, "n-metadata": {}}, 5),
    ],
    ids=["class", "class of two digits", "boxes", "no boxes", "custom", "text", "5.0"],
)
def test_the_count_of_each_kind_of_job_is_found(line: dict[str, Any], count: int) -> None:
    (row,) = read(line).rows
    assert (row.name, row.count) == ("a.jpg", count)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "bad_row"),
        ("[1]", "bad_row"),
        ("[" * 100_000, "bad_row"),
        ({"bins": 1, "bins-metadata": {}}, "bad_name"),
        ({"source-ref": 7, "bins": 1}, "bad_name"),
        ({"source-ref": "s3://other/a.jpg", "bins": 1}, "other_place"),
        ({"source-ref": REF}, "unlabelled"),
        ({"source-ref": REF, "bins-metadata": {"failure-reason": "no worker"}}, "unlabelled"),
        (classified("three"), "bad_count"),
        (classified(None), "bad_count"),
        ({"source-ref": REF, "bins": True}, "bad_count"),
        ({"source-ref": REF, "bins": {"x": 1}}, "bad_count"),
        ({"source-ref": REF, "bins": {}, "bins-metadata": {"type": "x/object-detection"}}, "bad_count"),
        ({"source-ref": REF, "bins": 1, "taken_at": 17}, "bad_time"),
    ],
)
def test_a_wrong_line_is_rejected_with_its_reason(line: Any, reason: str) -> None:
    good = classified("2") | {"source-ref": "s3://hall/photos/good.jpg"}
    found = read(line, good, attribute="bins")
    assert [row.name for row in found.rows] == ["good.jpg"]
    (rejected,) = found.rejected
    assert (rejected.reason, rejected.detail.partition(":")[0]) == (reason, "line 1")


def test_the_attribute_is_asked_for_where_it_is_not_clear() -> None:
    two = classified("2") | boxes(3)
    with pytest.raises(BadLabels, match="bins, boxes; name the one"):
        read(two)
    assert read(two, attribute="boxes").rows[0].count == 3
    with pytest.raises(BadLabels, match="none; name the one"):
        read({"source-ref": REF, "bins": 3})


def test_a_file_that_is_no_manifest_says_so() -> None:
    with pytest.raises(BadLabels, match="no line is a JSON object"):
        read("image,count", "a.jpg,3", attribute="bins")


def test_group_and_time_of_a_line_are_read() -> None:
    grouped = classified("2") | {"group": "bin 7"}
    timed = classified("2") | {"source-ref": "s3://hall/photos/b.jpg", "taken_at": "2026-01-31T10:05:00Z"}
    assert [row.block for row in read(grouped, timed).rows] == ["group:bin 7", "hour:491626"]
