"""How unsure an answer is, by the answer's probabilities alone: the larger, the more.

Each takes {count: probability} as an answer has them. benchmarks/active_learning.py holds them, and rules
that need more than the answer, against random choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

Probabilities = Mapping[int, float]
COVERAGE = 0.9


def margin(p: Probabilities) -> float:
    """One minus what the likeliest count has before the second (Scheffer et al. 2001)."""
    first, second = (*sorted(p.values(), reverse=True), 0.0, 0.0)[:2]
    return 1 - (first - second) if p else 0.0


def entropy(p: Probabilities) -> float:
    """In nats (Shannon 1948)."""
    return -sum(share * math.log(share) for share in p.values() if share > 0)


def interval(p: Probabilities) -> float:
    """How many counts the shortest range has that holds COVERAGE; of two with as many, the one that holds
    less is worth more."""
    counts, best = sorted(p), (math.inf, 0.0)
    for first in range(len(counts)):
        held = 0.0
        for last in range(first, len(counts)):
            held += p[counts[last]]
            if held >= COVERAGE:
                best = min(best, (last - first + 1, -held))
                break
    size, held = best
    return size + (1 + held) if math.isfinite(size) else float(len(counts) + 1)


def spread(p: Probabilities) -> float:
    """The variance of the count."""
    mean = sum(count * share for count, share in p.items())
    return sum(share * (count - mean) ** 2 for count, share in p.items())


SCORES: dict[str, Callable[[Probabilities], float]] = {
    "margin": margin,
    "entropy": entropy,
    "interval": interval,
    "spread": spread,
}
RULE = "interval"
"""What `propose` orders by (docs/propose.md has what that is worth)."""
