"""What the rows of a site add up to, in memory that does not grow with them."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bincount.site.row import Row

WORST = 24
LISTED = 200
"""So many bins of each kind that is left for a person are on the page; the CSV has all."""
_Ranked = tuple[tuple[float, ...], int, Row]


@dataclass
class Summary:
    """Counts rows as they come, keeps the worst offenders and the first of what is left for a person.

    A bin is `matched`, `mismatched`, or to be recounted by a person (`uncertain`: the verdict, or, where
    nothing was expected, an answer that asks for review), `counted` (surely, nothing expected) or `failed`.
    It is `settled` where it has a count that asks for no review and a verdict, if any, that is not uncertain.
    """

    matched: int = 0
    mismatched: int = 0
    uncertain: int = 0
    counted: int = 0
    failed: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])
    objects: int = 0
    settled: int = 0
    to_recount: list[Row] = field(default_factory=list[Row])
    without_count: list[Row] = field(default_factory=list[Row])
    _worst: list[_Ranked] = field(default_factory=list[_Ranked])

    @property
    def bins(self) -> int:
        """All rows."""
        return self.matched + self.mismatched + self.uncertain + self.counted + self.failed

    def add(self, row: Row) -> None:
        """Take one row in."""
        if row.error is not None:
            self.failed += 1
            self.errors[row.error] += 1
            _list(row, self.without_count)
            return
        self.objects += row.count or 0
        self.settled += not row.review and row.verdict != "uncertain"
        if row.verdict == "match":
            self.matched += 1
        elif row.verdict == "mismatch":
            self.mismatched += 1
            self._keep(row)
        elif row.verdict == "uncertain" or row.review:
            self.uncertain += 1
            _list(row, self.to_recount)
        else:
            self.counted += 1

    def worst(self) -> list[Row]:
        """The mismatches whose expected number is the least probable, worst first; at most WORST."""
        return [row for _, _, row in sorted(self._worst, reverse=True)]

    def to_json(self) -> dict[str, Any]:
        """The figures."""
        return {
            "bins": self.bins,
            "matched": self.matched,
            "mismatched": self.mismatched,
            "uncertain": self.uncertain,
            "counted": self.counted,
            "failed": self.failed,
            "errors": dict(sorted(self.errors.items())),
            "objects": self.objects,
            "settled": self.settled,
        }

    def _keep(self, row: Row) -> None:
        """Improbable before probable, then by how far off, then by confidence; ties by first come."""
        off = abs((row.count or 0) - (row.expected or 0))
        rank = (-(row.probability or 0.0), float(off), row.confidence or 0.0)
        entry = (rank, -self.mismatched, row)
        if len(self._worst) < WORST:
            heapq.heappush(self._worst, entry)
        else:
            heapq.heappushpop(self._worst, entry)


def _list(row: Row, rows: list[Row]) -> None:
    if len(rows) < LISTED:
        rows.append(row)
