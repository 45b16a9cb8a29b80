"""The classes: the number of objects that each column of the logits means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bincount_core.answer import column_of
from bintrain.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Column i means `counts[i]` objects; with `open_top` the last one for that many or more."""

    counts: tuple[int, ...]
    open_top: bool

    def index(self, count: int) -> int:
        """The column of a true count; counts above an open top belong to it. Raises KeyError for others."""
        column = column_of(count, counts=self.counts, open_top=self.open_top)
        if column is None:
            raise KeyError(count)
        return column

    @property
    def names(self) -> list[str]:
        """The classes as people read them, [C]; an open top class N is `N+`."""
        names = [str(count) for count in self.counts]
        return [*names[:-1], f"{names[-1]}+"] if self.open_top else names

    @property
    def values(self) -> NDArray[np.float64]:
        """The counts as numbers, [C]."""
        return np.asarray(self.counts, dtype=np.float64)


def choose_classes(train_counts: Iterable[int], *, max_count: int) -> Classes:
    """The counts seen in training up to `max_count`; larger ones form the open class `max_count + 1 or more`.

    Raises TrainingError when fewer than two classes remain.
    """
    seen = set(train_counts)
    counts = sorted(count for count in seen if count <= max_count)
    open_top = any(count > max_count for count in seen)
    if open_top:
        counts.append(max_count + 1)
    if len(counts) < 2:
        raise TrainingError(
            f"training needs images of at least two classes; with --max-count {max_count} it has {counts}. "
            "Request a dataset with more counts, or raise --max-count"
        )
    return Classes(counts=tuple(counts), open_top=open_top)
