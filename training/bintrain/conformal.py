"""Intervals that hold the true count with a promised probability (split conformal prediction).

Source: Romano, Sesia, Candes 2020 (arXiv 2006.02544), with ranges of neighbouring counts in place of
free sets. The scores are those of docs/contracts.md: the server forms the same ranges from the same numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def join_scores(probabilities: Floats) -> Floats:
    """For probabilities [N, C] the score of each class, [N, C]: the mass of the range before it joined.

    The range starts as the most probable class (score 0) and grows by its more probable neighbour each time
    (ties: the lower count).
    """
    rows = np.arange(len(probabilities))
    low: Places = probabilities.argmax(axis=1)
    high = low
    mass = probabilities[rows, low]
    scores = np.zeros_like(probabilities)
    # A closed end offers -1, which never wins against a probability.
    padded: Floats = np.pad(probabilities, ((0, 0), (1, 1)), constant_values=-1.0)
    for _ in range(probabilities.shape[1] - 1):
        below: Floats = padded[rows, low]
        above: Floats = padded[rows, high + 2]
        downward = below >= above
        joined = np.where(downward, low - 1, high + 1)
        scores[rows, joined] = mass
        mass = mass + np.where(downward, below, above)
        low, high = np.where(downward, low - 1, low), np.where(downward, high, high + 1)
    return scores


def score_quantile(scores: Floats, *, coverage: float) -> float:
    """The ceil((n + 1) * coverage)-th smallest of the true classes' scores [n]; 1.0 where n is too small."""
    rank = math.ceil((len(scores) + 1) * coverage)
    return float(min(1.0, np.sort(scores)[rank - 1])) if rank <= len(scores) else 1.0


def interval_holds(probabilities: Floats, true: NDArray[np.int64], *, quantile: float) -> NDArray[np.bool_]:
    """Whether each image's interval holds its true class, [N]."""
    return join_scores(probabilities)[np.arange(len(true)), true] <= quantile


def interval_widths(probabilities: Floats, *, quantile: float) -> NDArray[np.int64]:
    """How many classes each image's interval holds, [N]."""
    return (join_scores(probabilities) <= quantile).sum(axis=1)
