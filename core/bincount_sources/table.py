"""A CSV or Parquet of `image,count[,group][,taken_at]`."""

import csv
import io
from collections.abc import Iterator

from bincount_sources.found import BadLabels, BadRow, Collector, Found, Row
from bincount_sources.names import count_in, name_below
from bincount_sources.parquet import MAGIC, read_parquet_rows
from bincount_sources.split import block_of

NEEDED = ("image", "count")
KNOWN = (*NEEDED, "group", "taken_at")
_FORM = "expected a first line such as image,count,group,taken_at"
_SHOWN = 20


def read_table(data: bytes, *, bucket: str | None, prefix: str) -> Found:
    """The rows of a CSV, in UTF-8 or UTF-16, with commas, semicolons or tabs, whose empty lines are passed
    over, or of a Parquet file. `bucket` and `prefix` are the source's (names.name_below). A row that cannot
    be taken is rejected (`bad_row`, `bad_name`, `other_place`, `bad_count`, `bad_time`, `listed_twice`,
    `conflict`). Raises BadLabels for a table that cannot be read.
    """
    lines = read_parquet_rows(data, wanted=KNOWN) if data[:4] == MAGIC else _lines(_text(data))
    _, header = next(lines, (0, list[str]()))
    columns = _columns(header)
    collector = Collector()
    others = [name for name in header if name.strip() and name.strip().lower() not in KNOWN]
    if others:
        shown = ", ".join(repr(name[:_SHOWN]) for name in others[:5])
        collector.found.notes.append(f"columns that are not read: {shown}; read are {', '.join(KNOWN)}")
    for number, cells in lines:
        where, name = f"row {number}", ""
        try:
            values = _values(cells, columns, width=len(header))
            name = values["image"]
            collector.add(_row(values, bucket=bucket, prefix=prefix), where=where)
        except BadRow as fault:
            collector.reject(name[:200], fault.reason, f"{where}: {fault}")
    return collector.end()


def _text(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadLabels(
            f"byte {error.start} is no {encoding.removesuffix('-sig').upper()}; save the table as CSV UTF-8 "
            "(a spreadsheet's own choice of that name)"
        ) from error


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with its number."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise BadLabels(f"line {reader.line_num} is not a CSV ({error}); is a quote open there?") from error


def _columns(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in NEEDED if name not in names]
    twice = [name for name in KNOWN if names.count(name) > 1]
    if missing or twice:
        fault = f"no column {' and '.join(missing)}" if missing else f"{twice[0]} is there twice"
        came = ", ".join(repr(name[:_SHOWN]) for name in header[:8]) or "nothing"
        raise BadLabels(f"{fault}; {_FORM}; the first line has {came}")
    return {name: names.index(name) for name in KNOWN if name in names}


def _values(cells: list[str], columns: dict[str, int], *, width: int) -> dict[str, str]:
    values = {name: cells[place] for name, place in columns.items() if place < len(cells)}
    if any(name not in values for name in NEEDED) or any(cell.strip() for cell in cells[width:]):
        raise BadRow("bad_row", f"it has {len(cells)} cells, the first line has {width}")
    return values


def _row(values: dict[str, str], *, bucket: str | None, prefix: str) -> Row:
    name = name_below(values["image"], bucket=bucket, prefix=prefix)
    count = count_in(values["count"])
    block = block_of(name, group=values.get("group", ""), taken_at=values.get("taken_at", ""))
    return Row(name, count, block)
