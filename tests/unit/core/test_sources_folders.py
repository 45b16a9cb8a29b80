"""Class folders, and what stays together: by group, by time, by the number in the name."""

import pytest

from bincount_sources.class_folders import read_class_folders
from bincount_sources.found import BadRow
from bincount_sources.names import id_of, spellings
from bincount_sources.split import block_of
from tests.unit.core.odd_sources import CLASS_FILES, LITTER, OTHER_FILES


@pytest.mark.parametrize(("name", "count"), CLASS_FILES)
def test_a_folders_name_is_the_count(name: str, count: int) -> None:
    (row,) = read_class_folders([name]).rows
    assert (row.name, row.count) == (name, count)


@pytest.mark.parametrize(("name", "reason"), OTHER_FILES)
def test_any_other_file_is_rejected_with_its_reason(name: str, reason: str) -> None:
    found = read_class_folders([name])
    assert (found.rows, [(line.name, line.reason) for line in found.rejected]) == ([], [(name, reason)])


@pytest.mark.parametrize("name", LITTER)
def test_what_file_managers_leave_is_passed_over(name: str) -> None:
    found = read_class_folders([name])
    assert (found.rows, found.rejected) == ([], [])


def test_the_same_folder_below_two_counts_is_one_group() -> None:
    before, after = read_class_folders(["3/pallet 7/a.jpg", "4/pallet 7/b.jpg"]).rows
    assert before.block == after.block == "group:pallet 7"


def test_neighbours_by_number_stay_together_whatever_their_count() -> None:
    one, two, far = read_class_folders(["3/IMG_0101.jpg", "4/IMG_0102.jpg", "4/IMG_0200.jpg"]).rows
    assert one.block == two.block != far.block


def block(name: str, group: str = "", taken_at: str = "") -> str:
    return block_of(name, group=group, taken_at=taken_at)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a1.jpg", "bin 7"), ("z.jpg", " bin 7 ")),
        (("a.jpg", "", "2026-01-31 10:00"), ("b.jpg", "", "2026-01-31T10:59:59Z")),
        (("a.jpg", "", "2026:01:31 10:00:00"), ("b.jpg", "", "2026-01-31 12:30+02:00")),
        (("IMG_199_x.jpg",), ("IMG_100_x.jpg",)),
        (("0099",), ("99.jpg",)),
    ],
    ids=["group", "hour", "hour in other forms", "number", "leading zeros"],
)
def test_neighbours_stay_together(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert block(*first) == block(*second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a1.jpg", "bin 7"), ("a1.jpg", "bin 8")),
        (("a.jpg", "", "2026-01-31 10:59"), ("b.jpg", "", "2026-01-31 11:00")),
        (("cam1/7.jpg",), ("cam2/7.jpg",)),
        (("IMG_199.jpg",), ("IMG_200.jpg",)),
        (("shelf.jpg",), ("floor.jpg",)),
    ],
    ids=["group", "hour", "folder", "number", "no number"],
)
def test_strangers_may_be_apart(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert block(*first) != block(*second)


@pytest.mark.parametrize("written", ["yesterday", "31.12.2026", "2026-13-01", "1769853900"])
def test_a_time_that_is_none_is_a_bad_row(written: str) -> None:
    with pytest.raises(BadRow, match="taken_at is"):
        block_of("a.jpg", taken_at=written)


def test_one_name_in_two_spellings_of_unicode_is_one_image() -> None:
    assert id_of("ü.jpg") == id_of("u\u0308.jpg")
    assert spellings("ü.jpg") == ["ü.jpg", "u\u0308.jpg"]
    assert spellings("a.jpg") == ["a.jpg"]
