"""Metrics of counting: the figures of the published tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from bintrain.data.classes import Classes
from bintrain.evaluation.answers import Answers

Ints = NDArray[np.int64]


def count_metrics(predicted: Ints, true: Ints, *, classes: Classes) -> dict[str, float]:
    """Accuracy, RMSE, MAE (objects) and the share within one object.

    `predicted` and `true` are class indices [N], N > 0. An open top class counts as its lowest number.
    """
    right: NDArray[np.bool_] = predicted == true
    error = classes.values[predicted] - classes.values[true]
    return {
        "accuracy": float(np.mean(right)),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "within_one": float(np.mean(np.abs(error) <= 1)),
    }


def accuracy_range(predicted: Ints, true: Ints, *, level: float = 0.95) -> list[float]:
    """Where the accuracy lies with the confidence `level`, given so few images (Wilson's interval)."""
    test = binomtest(int(np.sum(predicted == true)), len(true))
    found = test.proportion_ci(confidence_level=level, method="wilson")
    return [float(found.low), float(found.high)]


def per_count(predicted: Ints, true: Ints, *, classes: Classes) -> list[dict[str, Any]]:
    """The same figures for each true count that occurs, smallest first, with the number of its images."""
    rows: list[dict[str, Any]] = []
    for index, count in enumerate(classes.counts):
        chosen = true == index
        if chosen.any():
            figures = count_metrics(predicted[chosen], true[chosen], classes=classes)
            rows.append({"count": count, "images": int(chosen.sum()), **figures})
    return rows


def confusion(predicted: Ints, true: Ints, *, classes: Classes) -> Ints:
    """Images by true class (row) and predicted class (column), [C, C]."""
    table = np.zeros((len(classes.counts), len(classes.counts)), dtype=np.int64)
    np.add.at(table, (true, predicted), 1)
    return table


def majority_accuracy(true: Ints, *, train: Ints) -> float:
    """The accuracy of always answering the class most frequent in `train` (ties: the lower count)."""
    right: NDArray[np.bool_] = true == np.bincount(train).argmax()
    return float(np.mean(right))


def calibration_error(found: Answers, true: Ints, *, bins: int = 15) -> float:
    """Expected calibration error of the answers over equal bins (Guo et al. 2017, arXiv 1706.04599)."""
    confidence, right = found.confidence, found.predicted == true
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(which, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(true))
