"""The figures of one model on a set of bins."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from inference.evaluate.examine import Reply

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are from 0 to 1, errors are in objects.

    coverage: share of bins whose true count lies in the answer's interval (promised: 0.9).
    interval_width: mean number of counts in the interval.
    """

    images: int
    accuracy: float
    rmse: float
    mae: float
    within_one: float
    coverage: float
    interval_width: float

    def members(self) -> dict[str, float]:
        """As JSON members, to 6 decimals."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def figures(replies: list[Reply], true: Integers, *, top: int | None) -> Figures:
    """The figures of `replies` against `true` (int64 `[images]`).

    `top` is the lowest number of an open top class ("N or more"): a larger true count counts as N.
    """
    truth = true if top is None else np.minimum(true, top)
    counts, low, high = np.array([(r.count, r.low, r.high) for r in replies], dtype=np.int64).T
    error = np.abs(counts - truth)
    return Figures(
        images=len(replies),
        accuracy=float((error == 0).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(error.mean()),
        within_one=float((error <= 1).mean()),
        coverage=float(((low <= truth) & (truth <= high)).mean()),
        interval_width=float((high - low + 1).mean()),
    )
