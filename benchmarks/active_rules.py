"""The selection rules that benchmarks/active_learning.py holds against random choice.

Each takes a Pool and a number and gives the places of the images to label next. What a rule reads says what
it would cost in production: `probabilities` every captured answer has; `views` are the network's answers for
more views of each image; `features` are of each image, of the labelled ones, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bincount.propose.score import SCORES

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Of every image of the pool: `probabilities` [images, classes], those of its views [images, views,
    classes], `features` [images, F] (standardized). `open` are the
    places that have no label, `known` those that have one."""

    probabilities: Floats
    views: Floats
    features: Floats
    open: Indices
    known: Indices
    random: np.random.Generator


Rule = Callable[[Pool, int], Indices]


def by_answer(name: str) -> Rule:
    """The largest of one of `bincount propose`'s scores, computed by its own code."""

    def rule(pool: Pool, number: int) -> Indices:
        return _top(pool, _scores(pool, name), number)

    return rule


def at_random(pool: Pool, number: int) -> Indices:
    """What all others are held against."""
    return pool.random.choice(pool.open, number, replace=False)


def views_disagree(pool: Pool, number: int) -> Indices:
    """The mutual information of answer and view (Houlsby et al. 2011, arXiv 1112.5745, with views for
    models)."""
    some = pool.views[pool.open]
    return _top(pool, _entropy(some.mean(axis=1)) - _entropy(some).mean(axis=1), number)


def core_set(pool: Pool, number: int) -> Indices:
    """The farthest from all that is labelled or chosen (Sener and Savarese 2018, arXiv 1708.00489)."""
    return _farthest(pool, pool.open, number)


def unsure_and_far(pool: Pool, number: int) -> Indices:
    """Of the three times as many with the smallest margin, the farthest from each other."""
    some = _top(pool, _scores(pool, "margin"), min(3 * number, len(pool.open)))
    return _farthest(pool, some, number)


def badge(pool: Pool, number: int) -> Indices:
    """k-means++ over the gradients of the last layer (Ash et al. 2020, arXiv 1906.03671).

    Such a gradient is the outer product of p - onehot(argmax) and the features, so distances need no
    more than the two factors' inner products.
    """
    p, x = pool.probabilities[pool.open], pool.features[pool.open]
    error = p - np.eye(p.shape[1])[p.argmax(axis=1)]
    norms = (error**2).sum(axis=1) * (x**2).sum(axis=1)
    chosen = [int(norms.argmax())]
    nearest = np.full(len(p), np.inf)
    while True:
        last = chosen[-1]
        inner = (error @ error[last]) * (x @ x[last])
        nearest = np.minimum(nearest, np.maximum(norms + norms[last] - 2 * inner, 0))
        nearest[chosen] = 0
        if len(chosen) == number:
            return pool.open[chosen]
        chosen.append(int(pool.random.choice(len(p), p=nearest / nearest.sum())))


def least_variance(pool: Pool, number: int) -> Indices:
    """One after the other, what lowers the mean variance of a ridge regression over the pool most (V-optimal
    design; the linear case of Ash et al. 2021, "Gone fishing", arXiv 2106.09675)."""
    x = pool.features
    ridge = float((x**2).sum(axis=1).mean()) / 10
    known = x[pool.known]
    root = np.linalg.cholesky(x.T @ x / len(x) + 1e-9 * np.eye(x.shape[1]))
    some = x[pool.open]
    seen = np.linalg.solve(known.T @ known + ridge * np.eye(x.shape[1]), some.T).T
    moved, own = seen @ root, (seen * some).sum(axis=1)
    free, chosen = np.ones(len(some), dtype=bool), list[int]()
    for _ in range(number):
        best = int(np.where(free, (moved**2).sum(axis=1) / (1 + own), -np.inf).argmax())
        free[best] = False
        chosen.append(best)
        # The inverse with one image more (Sherman and Morrison 1950), applied to all of them.
        share = some @ seen[best] / (1 + own[best])
        moved -= np.outer(share, moved[best])
        own -= share * (some @ seen[best])
        seen -= np.outer(share, seen[best])
    return pool.open[chosen]


def _scores(pool: Pool, name: str) -> Floats:
    answers: list[list[float]] = pool.probabilities[pool.open].tolist()
    return np.array([SCORES[name](dict(enumerate(each))) for each in answers])


def _entropy(p: Floats) -> Floats:
    return -(p * np.log(np.maximum(p, 1e-12))).sum(axis=-1)


def _top(pool: Pool, score: Floats, number: int) -> Indices:
    return pool.open[np.lexsort((pool.random.random(len(score)), -score))[:number]]


def _farthest(pool: Pool, among: Indices, number: int) -> Indices:
    x = pool.features[among]
    squares = (x**2).sum(axis=1)
    known = pool.features[pool.known]
    near = np.maximum(squares[:, None] + (known**2).sum(axis=1) - 2 * x @ known.T, 0).min(axis=1)
    chosen: list[int] = []
    for _ in range(number):
        best = int(near.argmax())
        chosen.append(best)
        near = np.minimum(near, np.maximum(squares + squares[best] - 2 * x @ x[best], 0))
        near[best] = -np.inf
    return among[chosen]


RULES: dict[str, Rule] = {
    "random": at_random,
    **{name: by_answer(name) for name in SCORES},
    "views": views_disagree,
    "core-set": core_set,
    "unsure-and-far": unsure_and_far,
    "badge": badge,
    "least-variance": least_variance,
}
