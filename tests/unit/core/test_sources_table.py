"""A CSV of images and counts: which tables, names and rows are taken, and what each odd one gives."""

import pytest

from bincount_sources.found import BadLabels, Found
from bincount_sources.read import read_labels


def read(text: str | bytes, *, bucket: str | None = "hall", prefix: str = "photos/") -> Found:
    data = text if isinstance(text, bytes) else text.encode()
    return read_labels(data, kind="table", attribute=None, bucket=bucket, prefix=prefix)


def rows(found: Found) -> list[tuple[str, int]]:
    return [(row.name, row.count) for row in found.rows]


@pytest.mark.parametrize(
    "text",
    [
        "image,count\na/1.jpg,3\n",
        "\ufeffimage,count\na/1.jpg,3\n",
        "image;count\r\na/1.jpg;3\r\n",
        "image\tcount\na/1.jpg\t3",
        "\n\nCount , IMAGE \n3,a/1.jpg\n\n",
        'image,count\n"a/1.jpg","3"\n',
        "image,count\na/1.jpg,3.0\n",
        "image,count\n./a/1.jpg, 3 \n",
        "image,count\na\\1.jpg,3\n",
        "image,count\ns3://hall/photos/a/1.jpg,3\n",
        "image,count,group,taken_at\na/1.jpg,3,,\n",
        "image,count,group\na/1.jpg,3\n",
        "image,count\na/1.jpg,3,,\n",
    ],
    ids=[
        "plain", "byte order mark", "semicolons", "tabs", "empty lines, order, capitals", "quotes",
        "3.0 of a spreadsheet", "./ and blanks", "backslashes", "S3 address", "empty optional cells",
        "optional cells left out", "empty cells too many",
    ],
)  # fmt: skip
def test_a_table_is_read_however_it_was_saved(text: str) -> None:
    found = read(text)
    assert (rows(found), found.rejected) == ([("a/1.jpg", 3)], [])


def test_a_spreadsheets_utf_16_is_read() -> None:
    assert rows(read("image,count\nü.jpg,3\n".encode("utf-16"))) == [("ü.jpg", 3)]


@pytest.mark.parametrize(
    "name",
    ["ü ß/日本.jpg", "a+b%20c#1?.PNG", "a, b.webp", "no suffix", "x" * 1024, "a;b.jpg", "'=1.jpg", "😀.jpg"],
)
def test_an_image_may_have_any_name(name: str) -> None:
    assert rows(read(f'image,count\n"{name}",1\n')) == [(name, 1)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",3", "bad_name"),
        ("/etc/passwd,3", "bad_name"),
        ("a/../../b.jpg,3", "bad_name"),
        ("a//b.jpg,3", "bad_name"),
        ("a/,3", "bad_name"),
        ("a\x07.jpg,3", "bad_name"),
        (f"{'x' * 1025},3", "bad_name"),
        ("s3://,3", "bad_name"),
        ("s3://other/photos/a.jpg,3", "other_place"),
        ("s3://hall/films/a.jpg,3", "other_place"),
        ("a.jpg,three", "bad_count"),
        ("a.jpg,2.5", "bad_count"),
        ('a.jpg,"1,000"', "bad_count"),
        ("a.jpg,-1", "bad_count"),
        ("a.jpg,10001", "bad_count"),
        ("a.jpg,", "bad_count"),
        ("a.jpg,NaN", "bad_count"),
        ("a.jpg,³", "bad_count"),
        ("a.jpg,3,,yesterday", "bad_time"),
        ("a.jpg,3,bin 7,31.12.2026", "bad_time"),
        ("a.jpg", "bad_row"),
        ("a.jpg,3,g,2026-01-01,more", "bad_row"),
    ],
)
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


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "no column image and count"),
        (b"file,number\na.jpg,3\n", "the first line has 'file', 'number'"),
        (b"a.jpg,3\nb.jpg,4\n", "no column image and count"),
        (b"image,count,count\n", "count is there twice"),
        (b"image,count\n\xfc.jpg,3\n", "save the table as CSV UTF-8"),
        (b'image,count\n"a.jpg,3\nb.jpg,4\n', "is a quote open there?"),
        (b"PAR1\x15\x04", "Parquet"),
    ],
    ids=["empty", "other columns", "no header", "column twice", "Latin-1", "open quote", "Parquet"],
)
def test_a_table_that_cannot_be_read_says_what_to_do(data: bytes, part: str) -> None:
    with pytest.raises(BadLabels, match=part.replace("?", r"\?")):
        read(data)


def test_a_misspelled_column_is_not_passed_over_in_silence() -> None:
    found = read("image,count,grup\na.jpg,3,bin 7\n")
    assert len(found.notes) == 1 and "'grup'" in found.notes[0]


def test_a_folder_takes_the_keys_of_addresses() -> None:
    found = read("image,count\ns3://hall/photos/a.jpg,3\n", bucket=None, prefix="")
    assert rows(found) == [("photos/a.jpg", 3)]
