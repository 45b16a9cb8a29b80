"""Which images of the index a dataset takes: duplicates, counts, limits, corrections, and their splits."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator
from functools import partial

from bincount_sources.split import SPLITS, Split, split_of_block
from data_prep.run import Run, is_field
from data_prep.select.blocks import block_of_line
from data_prep.select.corrections import Corrections
from data_prep.select.draws import draw_of
from data_prep.steps.index import index_key
from data_prep.steps.open_run import FIELD_PART
from data_prep.steps.records import identity_of, shown_name
from data_prep.storage.lines import Line, read_files

_Named = tuple[str, str]


class Selection:
    """One pass over the index, in the order of ids. It holds an ETag an image and the rejected, no more.

    With images of production there are passes before it: of the same bytes home's image is kept, whose side
    was there first; without one at home, the copy on the side of train, so that nothing a model was trained
    on is ever held out from a later one. Counts are those of the request, or else what home has.
    """

    def __init__(self, run: Run, parts: list[str], corrections: Corrections) -> None:
        self._run = run
        self._home = [part for part in parts if not part.startswith(FIELD_PART)]
        self._field = [part for part in parts if part.startswith(FIELD_PART)]
        self._corrections = corrections
        self._counts = run.request.counts
        self._kept: dict[bytes, _Named] = self._find_kept() if self._field else {}
        self._limits = self._find_limits()
        self.rejected: list[Line] = []
        self.counts: dict[str, Counter[int]] = {split: Counter() for split in SPLITS}
        self.blocks: set[str] = set()
        self.relabelled = 0
        self.not_selected = 0
        self.field_images = 0
        self._outside: Counter[int] = Counter()

    @property
    def images(self) -> int:
        """How many are planned."""
        return sum(counts.total() for counts in self.counts.values())

    def planned(self) -> Iterator[Line]:
        """The items to arrange, each {id, count, split, etag, bytes}; a corrected one has `old_count`."""
        self.rejected = []
        for line in self._unique(self.rejected):
            if not self._is_wanted(line):
                self.not_selected += 1
                self._outside[line["count"]] += is_field(line)
                continue
            self.relabelled += "listed" in line
            self.field_images += is_field(line)
            split = self._split(line)
            self.counts[split][line["count"]] += 1
            self.blocks.add(block_of_line(line))
            yield line | {"split": split}

    def field_notes(self) -> list[str]:
        """A sentence where images of production are left out by their counts."""
        left_out = sorted(count for count, images in self._outside.items() if images)
        if not left_out or self._counts is None:
            return []
        low, high = self._counts
        shown = ", ".join(map(str, left_out[:8])) + (", …" if len(left_out) > 8 else "")
        return [
            f"{self._outside.total()} image(s) of production show {shown} objects and are left out: the "
            f"dataset has {low} to {high}"
        ]

    def _split(self, line: Line) -> Split:
        return split_of_block(block_of_line(line), validation_share=self._run.request.validation_share)

    def _lines(self, parts: list[str]) -> Iterator[Line]:
        for lines in read_files(self._run.target, [index_key(self._run, part) for part in parts]):
            yield from lines

    def _unique(self, rejected: list[Line], *, home_only: bool = False) -> Iterator[Line]:
        seen: dict[bytes, _Named] = {}
        field = [] if home_only else self._field
        for line in heapq.merge(self._lines(self._home), self._lines(field), key=lambda line: line["id"]):
            if "reason" in line:
                rejected.append(line)
                continue
            digest = _digest(line)
            first, name = self._kept.get(digest) or seen.setdefault(digest, _named(line))
            if first == line["id"]:
                followed = self._corrections.follow(line)
                if "reason" in followed:
                    rejected.append(followed)
                else:
                    yield followed
            else:
                fault = {"reason": "duplicate", "detail": f"the same bytes as {name}"}
                rejected.append(identity_of(line) | fault)

    def _is_wanted(self, line: Line) -> bool:
        if self._counts is not None and not self._counts[0] <= line["count"] <= self._counts[1]:
            return False
        limit = None if is_field(line) else self._limits.get(line["count"])
        return limit is None or draw_of(line["id"], purpose="limit") <= limit

    def _find_kept(self) -> dict[bytes, _Named]:
        """The image that is kept of each that production has; on the way it finds home's counts."""
        best: dict[bytes, tuple[int, int, _Named]] = {}
        for line in self._lines(self._field):
            if "reason" not in line:
                rank = SPLITS.index(self._split(line)), line["order"], _named(line)
                best[_digest(line)] = min(best.get(_digest(line), rank), rank)
        kept = {digest: named for digest, (_, _, named) in best.items()}
        at_home: dict[bytes, _Named] = {}
        counts: set[int] = set()
        for line in self._lines(self._home):
            if "reason" in line:
                continue
            counts.add(line.get("listed", line["count"]))
            if (digest := _digest(line)) in kept:
                at_home.setdefault(digest, _named(line))
        if self._counts is None and counts:
            self._counts = min(counts), max(counts)
        return kept | at_home

    def _find_limits(self) -> dict[int, int]:
        """The largest draw that is still taken, for each count with more images at home than the limit."""
        most = self._run.request.limit_per_class
        if most is None:
            return {}
        draw = partial(draw_of, purpose="limit")
        smallest: dict[int, list[int]] = {}
        totals: Counter[int] = Counter()
        for line in self._unique([], home_only=True):
            heap = smallest.setdefault(line["count"], [])
            totals[line["count"]] += 1
            push = heapq.heappush if len(heap) < most else heapq.heappushpop
            push(heap, -draw(line["id"]))
        return {count: -heap[0] for count, heap in smallest.items() if totals[count] > most}


def _digest(line: Line) -> bytes:
    return hashlib.md5(line["etag"].encode(), usedforsecurity=False).digest()


def _named(line: Line) -> _Named:
    return line["id"], shown_name(line)
