"""A CSV of images and counts: which tables, names and rows are taken, and what each odd one gives."""

import pytest

from bincount_sources.found import BadLabels, Found
from tests.unit.core.odd_sources import NAMES, ROWS, TABLES, UNREADABLE_TABLES
from tests.unit.core.odd_sources import read_csv as read


def rows(found: Found) -> list[tuple[str, int]]:
    return [(row.name, row.count) for row in found.rows]


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES.keys())
def test_a_table_is_read_however_it_was_saved(text: str | bytes) -> None:
    found = read(text)
    assert (rows(found), found.rejected) == ([("a/1.jpg", 3)], [])


@pytest.mark.parametrize("name", NAMES)
def test_an_image_may_have_any_name(name: str) -> None:
    assert rows(read(f'image,count\n"{name}",1\n')) == [(name, 1)]


@pytest.mark.parametrize(("row", "reason"), ROWS)
def test_a_wrong_row_is_rejected_with_its_reason_and_place(row: str, reason: str) -> None:
    found = read(f"image,count,group,taken_at\nb.jpg,2\n{row}\nc.jpg,4\n")
    assert rows(found) == [("b.jpg", 2), ("c.jpg", 4)]
    (rejected,) = found.rejected
    assert (rejected.reason, rejected.detail.partition(":")[0]) == (reason, "row 3")


def test_an_image_with_two_counts_is_not_taken_at_all() -> None:
    found = read("image,count\na.jpg,1\na.jpg,2\nb.jpg,3\nb.jpg,3\nu\u0308.jpg,1\nü.jpg,2\n")
    assert rows(found) == [("b.jpg", 3)]
    reasons = sorted((rejected.name, rejected.reason) for rejected in found.rejected)
    assert reasons == [
        ("a.jpg", "conflict"), ("a.jpg", "conflict"), ("b.jpg", "listed_twice"),
        ("u\u0308.jpg", "conflict"), ("ü.jpg", "conflict"),
    ]  # fmt: skip


@pytest.mark.parametrize(("data", "part"), UNREADABLE_TABLES.values(), ids=UNREADABLE_TABLES.keys())
def test_a_table_that_cannot_be_read_says_what_to_do(data: bytes, part: str) -> None:
    with pytest.raises(BadLabels, match=part.replace("?", r"\?")):
        read(data)


def test_a_misspelled_column_is_not_passed_over_in_silence() -> None:
    found = read("image,count,grup\na.jpg,3,bin 7\n")
    assert len(found.notes) == 1 and "'grup'" in found.notes[0]


def test_a_folder_takes_the_keys_of_addresses() -> None:
    found = read("image,count\ns3://hall/photos/a.jpg,3\n", bucket=None, prefix="")
    assert rows(found) == [("photos/a.jpg", 3)]
