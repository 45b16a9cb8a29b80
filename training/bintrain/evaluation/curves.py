"""The points of the reliability curve and of the risk-coverage curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bintrain.evaluation.answers import Answers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Points = list[dict[str, float]]

RELIABILITY_BINS = 10
CURVE_POINTS = 400
"""At most so many points of a curve are kept; more cannot be distinguished in a chart."""


def reliability(found: Answers, true: Ints, *, bins: int = RELIABILITY_BINS) -> Points:
    """Mean confidence and accuracy of the answers in each of `bins` equal ranges of confidence.

    `true` are class indices [N]. A point holds `confidence`, `accuracy` and `images`; ranges without an
    answer are left out.
    """
    confidence, right = found.confidence, found.predicted == true
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return [
        {
            "confidence": float(confidence[which == index].mean()),
            "accuracy": float(right[which == index].mean()),
            "images": int((which == index).sum()),
        }
        for index in np.unique(which)
    ]


def risk_coverage(confidence: Floats, right: Booleans, *, automatic: Booleans) -> Points:
    """The share of wrong answers (`risk`) when only the most confident share of all images is answered.

    All arrays are [N]; images that are not `automatic` are never answered without review. Equal
    confidences are answered together. Each point holds `coverage`, `risk` and
    the lowest `confidence` answered.
    Source: Geifman, El-Yaniv 2017 (arXiv 1705.08500).
    """
    order = np.argsort(-confidence[automatic], kind="stable")
    sorted_confidence, wrong = confidence[automatic][order], ~right[automatic][order]
    answered = np.arange(1, len(order) + 1)
    risk = np.cumsum(wrong) / answered
    last = np.flatnonzero(np.append(sorted_confidence[1:] < sorted_confidence[:-1], True)[: len(order)])
    return [
        {
            "coverage": float(answered[place] / len(confidence)),
            "risk": float(risk[place]),
            "confidence": float(sorted_confidence[place]),
        }
        for place in _thinned(last)
    ]


def _thinned(places: Ints) -> Ints:
    if len(places) <= CURVE_POINTS:
        return places
    return places[np.linspace(0, len(places) - 1, CURVE_POINTS).round().astype(np.int64)]
