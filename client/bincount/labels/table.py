"""Labels in a CSV: the columns request_id and count, and note and by where they are there."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bincount.labels.label import Label
from bincount.site.table import read_table
from bincount.texts import whole_count
from bincount_core.limits import MAX_EXPECTED

_COLUMNS = ("request_id", "count", "note", "by")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTable:
    """`faults` has a line for every wrong row, `ignored` the columns that say nothing here."""

    labels: list[Label] = field(default_factory=list[Label])
    faults: list[str] = field(default_factory=list[str])
    ignored: list[str] = field(default_factory=list[str])


def read_labels(data: bytes, *, name: str, by: str | None = None) -> LabelTable:
    """The labels in a file's bytes; `by` is who counted where a row does not say it.

    The CSV may be any that a spreadsheet writes (bincount/site/table.py); blank rows are passed over. An id
    that comes twice is a fault of its later rows: which of the counts holds is for a person to say. Raises
    BincountError, which begins with `name`, where the file is no such CSV.
    """
    rows = read_table(data, name=name, wanted=("request_id", "count"))
    _, header = next(rows)
    columns = [cell.strip().lower() for cell in header]
    places = {column: columns.index(column) for column in _COLUMNS if column in columns}
    table = LabelTable(ignored=[c for c in dict.fromkeys(columns) if c and c not in _COLUMNS])
    lines: dict[str, int] = {}
    for line, cells in rows:
        found = {column: _cell(cells, at) for column, at in places.items()}
        fault = _take(found, by=by, earlier=lines, table=table)
        if fault:
            table.faults.append(f"line {line}: {fault}")
        else:
            lines[found["request_id"]] = line
    return table


def _take(cells: dict[str, str], *, by: str | None, earlier: dict[str, int], table: LabelTable) -> str | None:
    """Puts one row into the table; returns what is wrong with it."""
    request_id = cells["request_id"]
    count = whole_count(cells["count"])
    label = Label(
        request_id=request_id,
        count=count or 0,
        note=cells.get("note") or None,
        by=cells.get("by") or by or None,
    )
    faults = label.faults() if request_id else ["no request_id"]
    if count is None:
        faults.append(f"count is a whole number from 0 to {MAX_EXPECTED}, got {cells['count'][:20]!r}")
    if request_id in earlier:
        faults.append(f"{request_id!r} is in line {earlier[request_id]} already")
    if not faults:
        table.labels.append(label)
    return "; ".join(faults) or None


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip() if at < len(cells) else ""
