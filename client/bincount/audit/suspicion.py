"""In which order a person should look at labels: confident learning, and the nearest neighbours' labels.

Confident learning (Northcutt, Jiang, Chuang 2021, arXiv 1911.00068; the library is cleanlab) estimates from
out-of-fold probabilities which labels are wrong.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 10
WEIGHT = 0.25
"""Of the neighbours' labels in the probability by which bins are ordered; chosen by benchmarks/audit.py."""
_AT_ONCE = 512

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """`order` has the place of every image, the most suspicious first; `probabilities` [images, classes] are
    what it was ordered by; `neighbours` [images, NEIGHBOURS] the places of the most similar images, the
    nearest first; `issues` says of which images confident learning takes the label to be wrong."""

    order: Indices
    probabilities: Floats
    neighbours: Indices
    issues: NDArray[np.bool_]


def suspect(
    *, predicted: Floats, labels: Indices, features: NDArray[np.float32], blocks: list[str]
) -> Suspicion:
    """`predicted` [images, classes] are out-of-fold, `labels` classes; `features` [images, F] standardized.

    Neighbours are of other blocks: a second image of the same bin would have the same wrong label.
    """
    filters: Any = importlib.import_module("cleanlab.filter")
    neighbours = nearest(features, blocks=blocks, number=NEIGHBOURS)
    voted = votes(labels[neighbours], classes=predicted.shape[1])
    probabilities = (1 - WEIGHT) * predicted + WEIGHT * voted
    issues = filters.find_label_issues(labels, predicted, filter_by="both", n_jobs=1)
    return Suspicion(
        order=np.argsort(-doubt(probabilities, labels), kind="stable"),
        probabilities=probabilities,
        neighbours=neighbours,
        issues=np.asarray(issues, dtype=bool),
    )


def doubt(probabilities: Floats, labels: Indices) -> Floats:
    """How far each label is from what was predicted of it, more than is usual for that label.

    Far is the ranked probability score (Epstein 1969, "A scoring system for probability forecasts of ranked
    categories"): a label of 2 where 5 is the likeliest count is worse than one of 4, though either may have
    the same probability. Usual is the mean of the images with that label: the smallest and the largest count
    are always further from what is predicted.
    """
    classes = probabilities.shape[1]
    labelled = np.triu(np.ones((classes, classes - 1)))[labels]
    far = np.square(probabilities.cumsum(axis=1)[:, :-1] - labelled).sum(axis=1)
    numbers = np.maximum(np.bincount(labels, minlength=classes), 1)
    return far - (np.bincount(labels, weights=far, minlength=classes) / numbers)[labels]


def nearest(features: NDArray[np.float32], *, blocks: list[str], number: int) -> Indices:
    """The places of the `number` most similar images of other blocks, [images, number], nearest first.

    Similar is what points in the same direction from the mean of all.
    """
    features = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    _, places = np.unique(np.asarray(blocks), return_inverse=True)
    found = np.empty((len(features), number), dtype=np.int64)
    for start in range(0, len(features), _AT_ONCE):
        stop = start + _AT_ONCE
        likeness = features[start:stop] @ features.T
        likeness[places[start:stop, None] == places[None, :]] = -np.inf
        some = np.argpartition(-likeness, number - 1, axis=1)[:, :number]
        order = np.argsort(-np.take_along_axis(likeness, some, axis=1), axis=1, kind="stable")
        found[start:stop] = np.take_along_axis(some, order, axis=1)
    return found


def votes(labels: Indices, *, classes: int) -> Floats:
    """The share of each class among the neighbours, as if every class had been seen once more."""
    counts = np.stack([(labels == one).sum(axis=1) for one in range(classes)], axis=1)
    return (counts + 1) / (labels.shape[1] + classes)
