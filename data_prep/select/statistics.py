"""What is counted while a dataset's lists are written."""

from collections import Counter
from typing import Any

from bincount_sources.split import SPLITS
from data_prep.report.gallery import Gallery
from data_prep.run import is_field
from data_prep.select.blocks import block_of_line
from data_prep.storage.lines import Line

BAND = 100
"""Pixels; short sides are counted in bands of so many."""


class Statistics:
    """Sums over the accepted and the rejected; its size does not grow with the number of accepted images."""

    def __init__(self) -> None:
        self.bytes = 0
        self.counts: dict[str, Counter[int]] = {split: Counter() for split in SPLITS}
        self.field_counts: dict[str, Counter[int]] = {split: Counter() for split in SPLITS}
        """Those of production's images, which are among `counts` too."""
        self.blocks: set[str] = set()
        self.short_sides: Counter[int] = Counter()
        self.rejected: Counter[str] = Counter()
        self.rejected_by_arrange: list[Line] = []
        self.gallery = Gallery()

    def accept(self, record: Line) -> None:
        """Count an image that is in the dataset."""
        self.bytes += record["bytes"]
        self.counts[record["split"]][record["count"]] += 1
        self.field_counts[record["split"]][record["count"]] += is_field(record)
        self.blocks.add(block_of_line(record))
        self.short_sides[min(record["width"], record["height"]) // BAND * BAND] += 1
        self.gallery.consider(record)

    @property
    def images(self) -> int:
        """Accepted ones."""
        return sum(counts.total() for counts in self.counts.values())

    @property
    def field(self) -> dict[str, dict[str, int]]:
        """Production's images by split and count, as dataset.json has them."""
        return {split: _by_class(counts) for split, counts in self.field_counts.items()}

    def as_json(self) -> dict[str, Any]:
        """The part of dataset.json that is counted."""
        held_out = self.counts["validation"] + self.counts["test"]
        return {
            "images": self.images,
            "bytes": self.bytes,
            "counts": {split: _by_class(counts) for split, counts in self.counts.items()},
            "class_share_difference": _largest_difference(self.counts["train"], held_out),
            "rejected": dict(sorted(self.rejected.items())),
        }


def _by_class(counts: Counter[int]) -> dict[str, int]:
    return {str(count): counts[count] for count in sorted(counts) if counts[count]}


def _largest_difference(train: Counter[int], held_out: Counter[int]) -> float | None:
    """The largest |share of a count in train - its share in validation and test|; None where one is empty."""
    if not train or not held_out:
        return None
    differences = (abs(train[n] / train.total() - held_out[n] / held_out.total()) for n in train | held_out)
    return round(max(differences), 6)
