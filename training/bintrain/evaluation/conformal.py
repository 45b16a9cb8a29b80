"""Intervals that hold the true count with a promised probability (split conformal prediction).

Source: Romano, Sesia, Candes 2020 (arXiv 2006.02544), with ranges of neighbouring counts in place of
free sets. The scores are bincount_core's, by which the server forms its ranges.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bincount_core.answer import joining
from bintrain.evaluation.answers import Answers

Floats = NDArray[np.float64]


def join_scores(found: Answers) -> Floats:
    """The score of each class, [N, C]: bincount_core's `joining`, image by image."""
    scores = np.zeros_like(found.probabilities)
    for row, image in zip(scores, found.probabilities.tolist(), strict=True):
        for column, score in joining(image, by=found.by):
            row[column] = score
    return scores


def score_quantile(scores: Floats, *, coverage: float) -> float:
    """The ceil((n + 1) * coverage)-th smallest of the true classes' scores [n]; 1.0 where n is too small."""
    rank = math.ceil((len(scores) + 1) * coverage)
    return float(min(1.0, np.sort(scores)[rank - 1])) if rank <= len(scores) else 1.0


def interval_holds(found: Answers, true: NDArray[np.int64], *, quantile: float) -> NDArray[np.bool_]:
    """Whether each image's interval holds its true class, [N]."""
    return join_scores(found)[np.arange(len(true)), true] <= quantile


def interval_widths(found: Answers, *, quantile: float) -> NDArray[np.int64]:
    """How many classes each image's interval holds, [N]."""
    return (join_scores(found) <= quantile).sum(axis=1)
