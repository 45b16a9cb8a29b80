"""What a reader of labels found: rows that name an image and its count, and rows that cannot be taken."""

import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple


class BadLabels(ValueError):
    """The labels as a whole cannot be read; the text says what was expected, what came and what to do."""


class BadRow(ValueError):
    """One row cannot be taken: `reason` is the word for programs, the text says why."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """An image that is to be taken: `name` is its key below the source's prefix, `block` what it stays
    together with (split.py)."""

    name: str
    count: int
    block: str


class Rejected(NamedTuple):
    """A row, or a file in class folders, that is not taken; `name` may be empty where none could be read."""

    name: str
    reason: str
    detail: str


@dataclass
class Found:
    """Rows, rejected rows, and `notes`: sentences on the labels as a whole."""

    rows: list[Row] = field(default_factory=list[Row])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    notes: list[str] = field(default_factory=list[str])


class Collector:
    """Takes rows one after the other. An image that is named twice with one count is taken once; with two
    counts nobody knows which is true, and it is not taken at all."""

    def __init__(self) -> None:
        self.found = Found()
        self._first: dict[str, tuple[Row, str]] = {}
        self._conflicts: set[str] = set()

    def add(self, row: Row, *, where: str) -> None:
        """`where` is the row's place for people, such as `row 17`."""
        name = normal(row.name)
        if name not in self._first:
            self._first[name] = row, where
            return
        first, place = self._first[name]
        if first.count == row.count:
            self.reject(row.name, "listed_twice", f"{where}: {place} names it too")
        else:
            detail = f"{where} says {row.count}, {place} says {first.count}"
            self.reject(row.name, "conflict", detail)
            self._conflicts.add(name)

    def reject(self, name: str, reason: str, detail: str) -> None:
        """A row that is not taken."""
        self.found.rejected.append(Rejected(name, reason, detail))

    def end(self) -> Found:
        """Everything found, in the order of the rows."""
        for name, (row, where) in self._first.items():
            if name in self._conflicts:
                self.reject(row.name, "conflict", f"{where} says {row.count}, a later one says another count")
            else:
                self.found.rows.append(row)
        return self.found


def normal(name: str) -> str:
    """The name in Unicode's form NFC: macOS spells ü in two characters, other systems in one."""
    return unicodedata.normalize("NFC", name)
