"""Whether one model is worse than another beyond noise, on the same bins."""

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000
SEED = 20_261_123


def chance_of_worse(harm: NDArray[np.int64]) -> float:
    """The probability (one-sided p) that models of equal worth look at least this bad for the challenger.

    `harm[i]` is how much worse the challenger did on bin i than the champion (negative: better). The paired
    permutation test: were both of equal worth, each bin's difference could as well have had the other sign.
    It holds for any number of bins; on right/wrong answers it is McNemar's exact test, by simulation. Bins of
    equal difference are drawn together, so half a million take no longer than a hundred. The seed is fixed:
    the same answers give the same verdict. Sources: Good, Permutation Tests, 2000; the +1, by which no draw
    makes p zero: Phipson and Smyth 2010.
    """
    sizes, bins = np.unique(np.abs(harm[harm != 0]), return_counts=True)
    if not len(sizes):
        return 1.0
    heads = np.random.default_rng(SEED).binomial(bins, 0.5, size=(DRAWS, len(bins)))
    drawn = (2 * heads - bins) @ sizes
    return (1 + int((drawn >= harm.sum()).sum())) / (DRAWS + 1)
