"""Measures of how far two sets of images or answers are from each other; all are sums over rows.

A measure turns each row into numbers (`encode`), and two sets' sums of these numbers into a distance. So the
distances of thousands of random divisions of the rows are one product of matrices (permutation.py).

Bins, axes and scales are fitted to rows of the baseline that are then left out of the comparison. Otherwise
the baseline would lie better in them than any new image does, and every night would look a little different.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitoring.drift.observation import Column, Observations

Matrix = NDArray[np.float64]
AXES = 16
"""Principal components of the features that are compared one by one; the rest is one number."""
_ATOM = 0.05
_CUTS = (0.02, *(decile / 10 for decile in range(1, 10)), 0.98)


class Measure(Protocol):
    """One comparison. `encode` gives `[n, width]`; `distance` takes sums `[…, width]` and numbers of rows."""

    @property
    def name(self) -> str: ...

    def encode(self, rows: Observations) -> Matrix: ...

    def distance(self, night: Matrix, nights: int, reference: Matrix, references: int) -> Matrix: ...


@dataclass(frozen=True, slots=True)
class Binned:
    """The population stability index of one column, over bins whose upper ends are `cuts`.

    PSI = Σ (p - q) ln(p / q) over bins, with p and q the shares of night and baseline; half a row is added to
    each bin, so that an empty one is no infinity. Where nothing changed, it is about chi-squared times
    (1 / night + 1 / baseline) (Yurdakul 2018, "Statistical properties of the population stability index"):
    no fixed limit, such as the usual 0.2, can be right for every number of rows.
    """

    name: str
    cuts: Column

    def encode(self, rows: Observations) -> Matrix:
        """One column a bin, 1 where the row is in it."""
        places = np.searchsorted(self.cuts, rows.columns[self.name], side="left")
        return np.eye(len(self.cuts) + 1)[places]

    def distance(self, night: Matrix, nights: int, reference: Matrix, references: int) -> Matrix:
        bins = len(self.cuts) + 1
        p = (night + 0.5) / (nights + bins / 2)
        q = (reference + 0.5) / (references + bins / 2)
        return np.sum((p - q) * np.log(p / q), axis=-1)


def binned(name: str, fitted: Column) -> Binned:
    """Bins of about a tenth of the fitted rows each, and two thin ones at the ends.

    A value that many rows share (the size of one camera's images, a count) is a bin of its own: what is a
    little smaller or larger than it is another one.
    """
    cuts = set(np.quantile(fitted, _CUTS, method="inverted_cdf").tolist())
    values, numbers = np.unique(fitted, return_counts=True)
    for value in values[numbers >= _ATOM * len(fitted)]:
        cuts |= {float(value), float(np.nextafter(value, -np.inf))}
    return Binned(name, np.array(sorted(cuts)))


@dataclass(frozen=True, slots=True)
class PooledFeatures:
    """How far the mean of the features has moved: the sum of squared distances along principal axes of the
    baseline, each in its standard deviations, and of what the axes leave over (Hotelling's T² on axes).
    """

    name: str
    center: Column
    axes: Matrix
    scale: Column

    def encode(self, rows: Observations) -> Matrix:
        """Coordinates along the axes, and the logarithm of what they leave over, in standard deviations."""
        return _coordinates(rows.features, self.center, self.axes) / self.scale

    def distance(self, night: Matrix, nights: int, reference: Matrix, references: int) -> Matrix:
        difference = night / nights - reference / references
        return np.sum(difference**2, axis=-1)


def pooled_features(fitted: NDArray[np.float32]) -> PooledFeatures:
    """Fitted to `[n, d]`; at most AXES axes, and at most one for ten rows."""
    rows = fitted.astype(np.float64)
    center = rows.mean(axis=0)
    most = max(1, min(AXES, len(rows) // 10, rows.shape[1]))
    _, _, components = np.linalg.svd(rows - center, full_matrices=False)
    axes = components[:most].T
    spread = _coordinates(rows, center, axes).std(axis=0)
    # An axis without any spread (a network with dead features) says nothing: its scale is large, not zero.
    scale = np.where(spread > 1e-9, spread, np.inf)
    return PooledFeatures("features", center, axes, scale)


def _coordinates(rows: NDArray[np.floating], center: Column, axes: Matrix) -> Matrix:
    centered = rows.astype(np.float64) - center
    along = centered @ axes
    rest = np.maximum(np.sum(centered**2, axis=1) - np.sum(along**2, axis=1), 0)
    return np.column_stack([along, np.log(rest + 1e-6) / 2])
