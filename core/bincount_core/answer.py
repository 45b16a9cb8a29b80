"""What an answer's probabilities mean: the interval, and the verdict on an expected number.

docs/contracts.md, "Answer from logits". Training chooses quantile and thresholds by what serving obeys.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

Verdict = Literal["match", "mismatch", "uncertain"]


def joining(probabilities: Sequence[float]) -> Iterator[tuple[int, float]]:
    """The columns in the order in which they join an interval, each with its score.

    The range starts as the most probable class (score 0) and grows by its more probable neighbour each time
    (ties: the lower one). A class's score is the mass of the range before it joined. Split conformal
    prediction: Vovk et al. 2005; the contiguous variant follows the adaptive sets of Romano et al. 2020.
    """
    last = len(probabilities) - 1
    mass = max(probabilities)
    low = high = probabilities.index(mass)
    yield low, 0.0
    while low > 0 or high < last:
        below = probabilities[low - 1] if low > 0 else -1.0
        above = probabilities[high + 1] if high < last else -1.0
        if below >= above:
            low -= 1
            yield low, mass
            mass = min(1.0, mass + below)
        else:
            high += 1
            yield high, mass
            mass = min(1.0, mass + above)


def interval(probabilities: Sequence[float], *, score_quantile: float) -> tuple[int, int]:
    """First and last column of the conformal prediction interval: those with a score up to the quantile."""
    order = joining(probabilities)
    low = high = next(order)[0]
    for column, score in order:
        if score > score_quantile:
            break
        if column < low:
            low = column
        else:
            high = column
    return low, high


def column_of(count: int, *, counts: Sequence[int], open_top: bool) -> int | None:
    """The column of a number of objects; those above an open top class belong to it. None: there is none."""
    if open_top and count >= counts[-1]:
        return len(counts) - 1
    return counts.index(count) if count in counts else None


def verdict(*, agrees: bool, review: bool, probability: float, mismatch_below: float) -> Verdict:
    """What is said of an expected number.

    `agrees`: it is the counted one. `review`: the answer asks for a person. `probability` is the calibrated
    one of the expected number.
    """
    if agrees and not review:
        return "match"
    return "mismatch" if probability < mismatch_below else "uncertain"
