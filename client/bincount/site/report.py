"""Writes a site's CSV row by row and, at its end, the page and the figures."""

import csv
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from bincount.site.page import site_page
from bincount.site.row import COLUMNS, Row
from bincount.site.summary import Summary

CSV_NAME = "recount.csv"
PAGE_NAME = "summary.html"
FIGURES_NAME = "summary.json"
_PARTIAL = ".partial"
_ODD_BYTES = "backslashreplace"


class SiteReport:
    """Three files in `folder`: recount.csv, summary.html, summary.json; all or none of them.

    The CSV is written to a partial file that gets its name in `finish`, so that what a killed run leaves is
    never taken for a whole one. `columns` names the cells of the rows' `others`. Use it in a `with` block.
    """

    def __init__(self, folder: Path, *, columns: tuple[str, ...] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.summary = Summary()
        self._folder = folder
        self._partial = folder / f"{CSV_NAME}{_PARTIAL}"
        # A file name may hold bytes that are not UTF-8: they are spelt out.
        self._file = self._partial.open("w", newline="", encoding="utf-8", errors=_ODD_BYTES)
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._columns = len(columns)
        self._csv.writerow([*COLUMNS, *columns])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, row: Row) -> None:
        """Write one row."""
        cells = row.cells()
        # A bin that the manifest does not name has no cells of its other columns.
        self._csv.writerow(cells + [""] * (len(COLUMNS) + self._columns - len(cells)))
        self.summary.add(row)

    def finish(
        self, *, title: str, facts: Mapping[str, str], image_of: Callable[[Row], bytes | None]
    ) -> dict[str, Path]:
        """Write page and figures; returns the files by kind: csv, page, figures."""
        self._file.close()
        page = site_page(self.summary, title=title, facts=facts, image_of=image_of)
        files = {
            "csv": self._folder / CSV_NAME,
            "page": self._folder / PAGE_NAME,
            "figures": self._folder / FIGURES_NAME,
        }
        files["page"].write_text(page, encoding="utf-8", errors=_ODD_BYTES)
        figures = {"title": title, **self.summary.to_json(), "facts": dict(facts)}
        files["figures"].write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        os.replace(self._partial, files["csv"])
        return files
