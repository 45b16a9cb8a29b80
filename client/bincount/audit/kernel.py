"""Leave-block-out probabilities of each count: kernel ridge regression on what the maps' channels hold.

Each channel of the maps, and its contrast to the cells around, is described by quantiles, mean, spread and
maximum over the image's cells, which says how much of a pattern there is and not where. A second opinion
beside the network's (bincount.audit.predict), which errs on other images: it learns from every image but
those of the same block, in some seconds. What a block's images would have got without them follows from the
fit of all in closed form (Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", 5.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bincount.audit.features import CHANNELS, Maps

MOST = 3000
"""Images that are fitted together: time grows with the cube of their number, memory with the square."""
QUANTILES = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_NARROW, _RIDGE, _OFFSET = 1.0, 0.3, 0.1
_SHARPNESS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def contents(maps: Maps, rows: Indices) -> NDArray[np.float32]:
    """[images, CHANNELS * 20] of `maps` at `rows`, each standardized over the images."""
    found = np.empty((len(rows), 2, CHANNELS, len(QUANTILES) + 3), dtype=np.float32)
    for place, row in enumerate(rows):
        cells = np.asarray(maps[row], dtype=np.float32)
        found[place, 0], found[place, 1] = _spread(cells), _spread(_contrast(cells))
    flat = found.reshape(len(rows), -1)
    np.subtract(flat, flat.mean(axis=0), out=flat)
    np.divide(flat, flat.std(axis=0) + 1e-6, out=flat)
    return flat


def _contrast(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each inner cell has more than the four next to it: edges of things, of which there are more the
    more things there are."""
    around = cells[:, :-2, 1:-1] + cells[:, 2:, 1:-1] + cells[:, 1:-1, :-2] + cells[:, 1:-1, 2:]
    return np.subtract(cells[:, 1:-1, 1:-1], around / 4, dtype=np.float32)


def _spread(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """[CHANNELS, quantiles, then mean, standard deviation and maximum over the cells]."""
    values = np.sort(cells.reshape(CHANNELS, -1), axis=1)
    picked = [round(share * (values.shape[1] - 1)) for share in QUANTILES]
    rest = np.stack([values.mean(axis=1), values.std(axis=1), values[:, -1]], axis=1)
    return np.concatenate([values[:, picked], rest], axis=1)


def leave_block_out(
    features: NDArray[np.float32],
    labels: Indices,
    blocks: Sequence[str],
    *,
    classes: int,
    seed: int,
    most: int = MOST,
) -> Floats:
    """[images, classes]: what `features` [images, F] say of each image by the labels of other blocks.

    More than `most` images are shared out at random, and each share is fitted on its own.
    """
    _, block = np.unique(np.asarray(blocks), return_inverse=True)
    shares = -(-len(labels) // most)
    share = np.random.default_rng(seed).permutation(len(labels)) % shares
    scores = np.empty((len(labels), classes))
    for one in range(shares):
        places = np.flatnonzero(share == one)
        targets = np.eye(classes)[labels[places]] - 1 / classes
        scores[places] = _fit(_kernel(features[places]), targets, block[places])
    return _probabilities(scores, labels)


def _kernel(features: NDArray[np.float32]) -> Floats:
    products = (features @ features.T).astype(np.float64)
    squares = np.diag(products)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * products, 0)
    return np.exp(-_NARROW * distances / max(float(np.median(distances)), 1e-9)) + _OFFSET


def _fit(kernel: Floats, targets: Floats, block: Indices) -> Floats:
    """What the fit without each block says of the block: its residuals with it, through the hat matrix."""
    hat = np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), kernel)
    fitted = hat @ targets
    order = np.argsort(block, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
        rest = np.eye(len(places)) - hat[np.ix_(places, places)]
        fitted[places] = targets[places] - np.linalg.solve(rest, targets[places] - fitted[places])
    return fitted


def _probabilities(scores: Floats, labels: Indices) -> Floats:
    """The softmax at the sharpness by which the labels are likeliest."""
    options: list[tuple[float, Floats]] = []
    for sharpness in _SHARPNESS:
        powers = np.exp(sharpness * (scores - scores.max(axis=1, keepdims=True)))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        own = probabilities[np.arange(len(labels)), labels]
        options.append((float(np.log(own + 1e-9).mean()), probabilities))
    return max(options, key=lambda option: option[0])[1]
