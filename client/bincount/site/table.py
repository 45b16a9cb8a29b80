"""A CSV as spreadsheets write it: its separator, its encoding; what is not a CSV is named for what it is."""

import codecs
import csv
import io
from collections.abc import Iterator

from bincount.errors import BincountError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_FORMATS = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another packed file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "packed by gzip",
}
_AS_CSV = "save it as CSV (in Excel: Save As, CSV UTF-8)"


def read_table(data: bytes, *, name: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank, the column names first, as they are there.

    The separator is the one by which the first row has the columns `wanted` (in any case), or the one that a
    first line `sep=;` names. The encoding is UTF-8 or, by its byte order mark, UTF-16. Raises BincountError,
    which begins with `name`, where the file is no such CSV.
    """
    lines = _lines(_text(data, name))
    first = next(lines, "")
    named = _named_separator(first)
    if named is not None:
        first = next(lines, "")
    separator = _separator(first, name, wanted, named or "".join(DELIMITERS))
    # The first row may go over several lines: a quoted name with a line break.
    yield from _rows(_together(first, lines), separator, name, offset=0 if named is None else 1)


def _text(data: bytes, name: str) -> str:
    for start, what in _FORMATS.items():
        if data.startswith(start):
            raise BincountError(f"{name} is {what}, not a CSV: {_AS_CSV}")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if wide else "UTF-8"
        raise BincountError(f"{name}: not {encoding} text ({error.reason}): {_AS_CSV}") from error
    if "\0" in text:
        raise BincountError(f"{name} holds NUL bytes, so it is not UTF-8 text: {_AS_CSV}")
    return text


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, also those of an old Mac; a line of blanks and separators alone is still one."""
    return iter(io.StringIO(text, newline=""))


def _named_separator(line: str) -> str | None:
    """Excel's own first line `sep=;`, which only says what separates."""
    words = line.rstrip("\r\n").strip('"')
    return words[4] if len(words) == 5 and words.lower().startswith("sep=") else None


def _separator(line: str, name: str, wanted: tuple[str, ...], candidates: str) -> str:
    for separator in candidates:
        for cells in csv.reader([line], delimiter=separator):
            if set(wanted) <= {cell.strip().lower() for cell in cells}:
                return separator
    separators = ", ".join(DELIMITERS.get(one, repr(one)) for one in candidates)
    came = f"got {line.strip()[:80]!r}" if line.strip() else "got nothing"
    raise BincountError(
        f"{name}: expected a CSV with the columns {' and '.join(wanted)}, separated by "
        f"{separators}; {came}: name the columns in the first line"
    )


def _together(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _rows(lines: Iterator[str], separator: str, name: str, *, offset: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num + offset, cells
    except csv.Error as error:
        raise BincountError(f"{name}: line {reader.line_num + offset}: {error}: correct it") from error
