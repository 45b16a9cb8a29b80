"""What an answer's probabilities mean: the count, the interval, and the verdict on an expected number.

docs/contracts.md, "Answer from logits". Training chooses quantile and thresholds by what serving obeys.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Rule = Literal["most_probable", "median"]
RULES: tuple[Rule, ...] = get_args(Rule)
Verdict = Literal["match", "mismatch", "uncertain"]
HALF = 0.5 - 1e-9  # an exact half is one, however its terms were rounded


def answered(probabilities: NDArray[np.float64], *, by: Rule) -> NDArray[np.int64]:
    """The columns that are answered, `[...]`, of probabilities `[..., classes]`.

    `most_probable` is right most often (ties: the lower). `median` is the first at which the probabilities
    add up to one half: no other answer has a smaller mean error.
    """
    if by == "median":
        return (probabilities.cumsum(axis=-1) < HALF).sum(axis=-1)
    return probabilities.argmax(axis=-1)


def joining(probabilities: Sequence[float], *, by: Rule = "most_probable") -> Iterator[tuple[int, float]]:
    """The columns in the order in which they join an interval, each with its score.

    The range starts as the answered class (score 0) and grows by its more probable neighbour each time
    (ties: the lower one). A class's score is the mass of the range before it joined. Split conformal
    prediction: Vovk et al. 2005; the contiguous variant follows the adaptive sets of Romano et al. 2020.
    """
    last = len(probabilities) - 1
    low = high = int(answered(np.asarray(probabilities), by=by))
    mass = probabilities[low]
    yield low, 0.0
    while low > 0 or high < last:
        below = probabilities[low - 1] if low > 0 else -1.0
        above = probabilities[high + 1] if high < last else -1.0
        column = low - 1 if below >= above else high + 1
        yield column, mass
        low, high, mass = min(low, column), max(high, column), min(1.0, mass + max(below, above))


def interval(
    probabilities: Sequence[float], *, score_quantile: float, by: Rule = "most_probable"
) -> tuple[int, int]:
    """First and last column of the conformal prediction interval: those with a score up to the quantile."""
    held = [column for column, score in joining(probabilities, by=by) if score <= score_quantile]
    return min(held), max(held)


def column_of(count: int, *, counts: Sequence[int], open_top: bool) -> int | None:
    """The column of a number of objects; those above an open top class belong to it. None: there is none."""
    if open_top and count >= counts[-1]:
        return len(counts) - 1
    return counts.index(count) if count in counts else None


def verdict(*, agrees: bool, review: bool, probability: float, mismatch_below: float) -> Verdict:
    """What is said of an expected number, whose calibrated probability is `probability`.

    `agrees`: it is the counted one. `review`: the answer asks for a person.
    """
    if agrees and not review:
        return "match"
    return "mismatch" if probability < mismatch_below else "uncertain"
