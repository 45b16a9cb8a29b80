"""The calibrated test: how often chance alone divides the same rows as far apart as night and baseline are.

If nothing changed, night and baseline are one heap of rows that was divided by chance. So all rows are put
together and divided anew many times; the share of divisions that are as far apart is the p-value. It is exact
for any number of rows and any distribution, ties included (Fisher 1935; Phipson and Smyth 2010 for the + 1).

Several measures are one test: the smallest of their p-values is held against the smallest of each division
(Westfall and Young 1993, min-p). That corrects for their number, and takes account of how they depend.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.drift.measures import Matrix, Measure
from monitoring.drift.observation import Observations

FEWEST, MOST = 1_000, 40_000
_BEYOND = 20
"""So many of the divisions lie beyond the level: its own error is then about a fifth of it."""
_CHUNK_ROWS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One measure: its `distance`, the `limit` that it must exceed to be found, and `p`, which is corrected
    for the number of measures: found is what has a `p` of at most the level.
    """

    name: str
    distance: float
    limit: float
    p: float


def divisions_for(level: float) -> int:
    """How many random divisions a test at `level` takes."""
    return min(MOST, max(FEWEST, math.ceil(_BEYOND / level)))


def test_together(
    measures: Sequence[Measure], *, night: Observations, reference: Observations, level: float, seed: int
) -> list[Tested]:
    """All measures at once; where nothing changed, any of them is found with a probability of `level`."""
    nights, references = len(night), len(reference)
    blocks = [np.concatenate([m.encode(night), m.encode(reference)]) for m in measures]
    encoded = np.concatenate(blocks, axis=1).astype(np.float32)
    ends = np.cumsum([block.shape[1] for block in blocks])[:-1]
    total = encoded.sum(axis=0, dtype=np.float64)

    def distances(sums: Matrix) -> Matrix:
        parts = zip(measures, np.split(sums, ends, -1), np.split(total - sums, ends, -1), strict=True)
        return np.stack([m.distance(n, nights, r, references) for m, n, r in parts], axis=-1)

    observed = distances(encoded[:nights].sum(axis=0, dtype=np.float64)[None])[0]
    drawn = np.concatenate(
        [distances(sums) for sums in _divide(encoded, nights, divisions_for(level), seed=seed)]
    )
    # What is equal but for the last bits of a sum is equal.
    drawn, observed = drawn.round(9), observed.round(9)
    single, drawn_single = _single_p(observed, drawn), _p_of_each(drawn)
    smallest = np.sort(drawn_single.min(axis=1))
    many = len(drawn) + 1
    corrected = (np.searchsorted(smallest, single, side="right") + 1) / many
    return [
        Tested(name=m.name, distance=float(observed[i]), p=float(corrected[i]), limit=limit)
        for i, (m, limit) in enumerate(zip(measures, _limits(drawn, smallest, level), strict=True))
    ]


def _divide(encoded: NDArray[np.float32], nights: int, divisions: int, *, seed: int) -> list[Matrix]:
    """Sums over the rows that each division calls the night's, `[divisions, width]` in parts."""
    rng = np.random.default_rng(seed)
    rows = len(encoded)
    sums: list[Matrix] = []
    while divisions > 0:
        chunk = min(divisions, max(1, _CHUNK_ROWS // rows))
        order = np.argpartition(rng.random((chunk, rows), dtype=np.float32), nights - 1, axis=1)
        chosen = np.zeros((chunk, rows), dtype=np.float32)
        np.put_along_axis(chosen, order[:, :nights], 1, axis=1)
        sums.append((chosen @ encoded).astype(np.float64))
        divisions -= chunk
    return sums


def _single_p(observed: NDArray[np.float64], drawn: Matrix) -> NDArray[np.float64]:
    return (np.sum(drawn >= observed, axis=0) + 1) / (len(drawn) + 1)


def _p_of_each(drawn: Matrix) -> Matrix:
    """The p-value that each division would have had among the others."""
    ordered = np.sort(drawn, axis=0)
    below = np.stack(
        [np.searchsorted(ordered[:, i], drawn[:, i], side="left") for i in range(drawn.shape[1])], axis=1
    )
    return (len(drawn) - below + 1) / (len(drawn) + 1)


def _limits(drawn: Matrix, smallest: NDArray[np.float64], level: float) -> list[float]:
    """The distance of each measure that must be exceeded for a corrected p-value of at most `level`."""
    many = len(drawn) + 1
    beyond = np.arange(len(drawn))  # so many divisions are at least as far apart
    corrected = np.searchsorted(smallest, (beyond + 1) / many, side="right") + 1
    allowed = int(np.sum(corrected <= level * many))
    if not allowed:
        return [float("inf")] * drawn.shape[1]
    return [float(np.sort(column)[-allowed]) for column in drawn.T]
