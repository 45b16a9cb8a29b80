"""A Parquet file of images and counts: types of columns, compressions, and what a damaged one gives."""

from typing import Any

import pytest
from arro3.core import DataType

from bincount_sources.found import BadLabels
from bincount_sources.split import block_of
from tests.unit.core.odd_sources import read_csv
from tests.unit.core.parquet_files import column, parquet

NAMES = column(["a.jpg", "b.jpg"], DataType.utf8())


@pytest.mark.parametrize(
    "compression", ["uncompressed", "snappy", "gzip(6)", "zstd(3)", "brotli(3)", "lz4_raw"]
)
def test_every_usual_compression_is_read(compression: str) -> None:
    counts = column([3, 4], DataType.int64())
    found = read_csv(parquet(compression=compression, image=NAMES, count=counts))
    assert [(row.name, row.count) for row in found.rows] == [("a.jpg", 3), ("b.jpg", 4)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (DataType.int8(), [3, 4]),
        (DataType.uint32(), [3, 4]),
        (DataType.float64(), [3.0, 4.0]),
        (DataType.utf8(), ["3", "4"]),
        (DataType.large_utf8(), ["3", "4"]),
    ],
    ids=str,
)
def test_a_count_may_have_any_type_of_number_or_text(kind: DataType, values: list[Any]) -> None:
    found = read_csv(parquet(image=NAMES, count=column(values, kind)))
    assert [row.count for row in found.rows] == [3, 4]


@pytest.mark.parametrize(
    "kind",
    [
        DataType.timestamp("s"),
        DataType.timestamp("us"),
        DataType.timestamp("ns", tz="Europe/Berlin"),
        DataType.timestamp("ms", tz="+02:00"),
    ],
    ids=str,
)
def test_a_moment_is_the_same_hour_in_every_unit_and_zone(kind: DataType) -> None:
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[str(kind.time_unit)]
    moments = column([1_769_853_900 * factor, None], kind)
    found = read_csv(parquet(image=NAMES, count=column([3, 4], DataType.int64()), taken_at=moments))
    assert [row.block for row in found.rows] == [
        block_of("a.jpg", taken_at="2026-01-31T10:05:00Z"), block_of("b.jpg"),
    ]  # fmt: skip


def test_rows_without_a_count_or_a_name_are_rejected_by_number() -> None:
    names = column(["a.jpg", None, "c.jpg"], DataType.utf8())
    found = read_csv(parquet(image=names, count=column([3, 4, None], DataType.int32())))
    assert [row.name for row in found.rows] == ["a.jpg"]
    assert [(line.reason, line.detail.partition(":")[0]) for line in found.rejected] == [
        ("bad_name", "row 2"), ("bad_count", "row 3"),
    ]  # fmt: skip


def test_other_columns_are_passed_over_with_a_note() -> None:
    boxes = column([1.5, 2.5], DataType.float64())
    found = read_csv(parquet(image=NAMES, boxes=boxes, count=column([3, 4], DataType.int64())))
    assert len(found.rows) == 2
    assert "'boxes'" in found.notes[0]


def test_other_columns_alone_are_said() -> None:
    with pytest.raises(BadLabels, match="no column image and count; .* the first line has 'file'"):
        read_csv(parquet(file=NAMES))


def test_half_a_million_rows_are_read() -> None:
    most = 536_434
    names = column([f"hall {number % 9}/{number}.jpg" for number in range(most)], DataType.utf8())
    counts = column([number % 13 for number in range(most)], DataType.int64())
    assert len(read_csv(parquet(image=names, count=counts)).rows) == most


def test_a_file_that_was_damaged_inside_is_one_clear_line() -> None:
    """Some of these end the library's process."""
    whole = parquet(compression="uncompressed", image=NAMES, count=column([3, 4], DataType.int64()))
    faults = 0
    for place in range(4, len(whole) - 4, len(whole) // 20):
        damaged = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        try:
            read_csv(damaged)
        except BadLabels as error:
            faults += 1
            assert "\n" not in str(error) and len(str(error)) < 400
    assert faults > 5
