"""The manifest of consignments: a CSV with the columns id and expected."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bincount.errors import BincountError
from bincount.site.image_files import image_id
from bincount.site.row import COLUMNS
from bincount.site.table import read_table
from bincount.texts import whole_count
from bincount_core.limits import MAX_EXPECTED

_MOST_FAULTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`expected` is {id: expected count} in the manifest's order.

    `columns` names its other columns, `others` holds their cells for each id: the recount's CSV carries them
    along. A column that is called like one of the recount's own gets `manifest_` before its name.
    """

    expected: dict[str, int] = field(default_factory=dict[str, int])
    columns: tuple[str, ...] = ()
    others: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def read_manifest(data: bytes, *, name: str) -> Manifest:
    """The manifest in a file's bytes. An id may carry the image's suffix and Windows' backslashes.

    Comma, semicolon, tab or bar separate; UTF-8 or UTF-16; blank rows are passed over. `name` is the file's,
    for messages. Raises BincountError with the first faults and their lines: a missing column, an empty id,
    an expected count that is not a whole number from 0 to 999,999, an id that comes twice.
    """
    rows = read_table(data, name=name, wanted=("id", "expected"))
    _, header = next(rows)
    places = [cell.strip().lower() for cell in header]
    at_id, at_expected = places.index("id"), places.index("expected")
    further = [at for at, cell in enumerate(header) if at not in (at_id, at_expected) and cell.strip()]
    manifest = Manifest(columns=tuple(_column(header[at]) for at in further))
    faults: list[str] = []
    for line, cells in rows:
        fault = _take(_cell(cells, at_id), _cell(cells, at_expected), manifest)
        if fault is None:
            if further:
                identity = next(reversed(manifest.expected))
                manifest.others[identity] = tuple(_cell(cells, at) for at in further)
            continue
        faults.append(f"line {line}: {fault}")
        if len(faults) == _MOST_FAULTS:
            break
    if faults:
        raise BincountError(f"{name}: {'; '.join(faults)}: correct these lines")
    return manifest


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip() if at < len(cells) else ""


def _column(name: str) -> str:
    name = " ".join(name.split())
    return f"manifest_{name}" if name.lower() in COLUMNS else name


def _take(given: str, number: str, manifest: Manifest) -> str | None:
    """Puts one row into the manifest; returns what is wrong with it."""
    identity = image_id(given)
    if not identity:
        return "no id"
    count = whole_count(number)
    if count is None:
        return f"expected is a whole number from 0 to {MAX_EXPECTED}, got {number[:20]!r}"
    if identity in manifest.expected:
        return f"the id {identity[:80]!r} is there twice"
    manifest.expected[identity] = count
    return None
