"""Ground Truth's augmented manifest: where the count is in each kind of job, and what is rejected."""

from typing import Any

import pytest

from bincount_sources.found import BadLabels
from tests.unit.core.odd_sources import MANIFEST_LINES, REF, WRONG_LINES, boxes, classified
from tests.unit.core.odd_sources import read_manifest as read


@pytest.mark.parametrize(("line", "count"), MANIFEST_LINES.values(), ids=MANIFEST_LINES.keys())
def test_the_count_of_each_kind_of_job_is_found(line: dict[str, Any], count: int) -> None:
    (row,) = read(line).rows
    assert (row.name, row.count) == ("a.jpg", count)


@pytest.mark.parametrize(("line", "reason"), WRONG_LINES.values(), ids=WRONG_LINES.keys())
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
