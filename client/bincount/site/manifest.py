"""The manifest of consignments: a CSV with the columns id and expected."""

import csv
from collections.abc import Iterable

from bincount.errors import BincountError
from bincount.image import SUFFIXES

MAX_EXPECTED = 999_999
_MOST_FAULTS = 5


def read_manifest(lines: Iterable[str], *, name: str) -> dict[str, int]:
    """{id: expected count}; further columns are left alone. An id may carry the image's suffix.

    `name` is the file's, for messages. Raises BincountError with the first faults and their lines: a missing
    column, an empty id, an expected count that is no whole number from 0 to 999,999, an id that comes twice.
    """
    expected: dict[str, int] = {}
    faults: list[str] = []
    # A byte order mark is what a spreadsheet puts before the first column's name.
    reader = csv.DictReader(line.lstrip("\ufeff") if at == 0 else line for at, line in enumerate(lines))
    columns = [column.strip().lower() for column in reader.fieldnames or []]
    if "id" not in columns or "expected" not in columns:
        raise BincountError(
            f"{name}: expected a CSV with the columns id and expected, got {columns or 'nothing'}"
        )
    reader.fieldnames = columns
    try:
        for row in reader:
            fault = _take(row, expected)
            if fault:
                faults.append(f"line {reader.line_num}: {fault}")
                if len(faults) == _MOST_FAULTS:
                    break
    except csv.Error as error:
        faults.append(f"line {reader.line_num}: {error}")
    if faults:
        raise BincountError(f"{name}: {'; '.join(faults)}: correct these lines")
    return expected


def image_id(name: str) -> str:
    """The id of an image's file name or relative key: without its suffix."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _take(row: dict[str, str | None], expected: dict[str, int]) -> str | None:
    """Puts one row into `expected`; returns what is wrong with it."""
    identity = image_id((row.get("id") or "").strip())
    number = (row.get("expected") or "").strip()
    if not identity:
        return "no id"
    if not (number.isascii() and number.isdecimal() and int(number) <= MAX_EXPECTED):
        return f"expected is a whole number from 0 to {MAX_EXPECTED}, got {number[:20]!r}"
    if identity in expected:
        return f"the id {identity[:80]!r} stands there twice"
    expected[identity] = int(number)
    return None
