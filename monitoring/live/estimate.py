"""From what people labelled to all answers: a stratified estimate, since they look at the doubtful ones.

Answers are in strata by what the server said (review or not). Within a stratum those that were labelled stand
for all: the estimate is the sum over the strata of (answers of the stratum / answers) * (share among its
labels). That is weighting each label by one over the probability that an answer like it was labelled (Horvitz
and Thompson 1952, with the observed shares: post-stratification).

Its interval is the same sum over the strata's Clopper-Pearson bounds, each at a level that leaves the whole
at least LEVEL (Bonferroni over the strata that have labels). A stratum without labels counts as anything from
0 to 1. So it is never too narrow where the labelled are a fair sample of their stratum, and it is wider than
needed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitoring.live.proportion import LEVEL, clopper_pearson

NORMAL = 1.959963984540054  # the normal distribution's quantile of 0.975


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """`answers` of one kind, of which `labels` have a label and `hits` of these have the property."""

    answers: int
    labels: int
    hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An estimate with its interval and the number behind it.

    `value` is None where a stratum with answers has no label: then there is an interval alone.
    """

    value: float | None
    low: float | None
    high: float | None
    labels: int

    def to_json(self) -> dict[str, Any]:
        """Six digits: the same bytes whenever the same is computed."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {
            **{name: None if number is None else round(number, 6) for name, number in numbers.items()},
            "labels": self.labels,
        }


def share(strata: Iterable[Stratum]) -> Figure:
    """The share of answers with the property; all None where there is no label."""
    with_answers = [each for each in strata if each.answers]
    answers = sum(each.answers for each in with_answers)
    labelled = [each for each in with_answers if each.labels]
    labels = sum(each.labels for each in labelled)
    if not labels:
        return Figure(value=None, low=None, high=None, labels=0)
    level = 1.0 - (1.0 - LEVEL) / len(labelled)
    value, low, high = 0.0, 0.0, 0.0
    for each in with_answers:
        weight = each.answers / answers
        bounds = clopper_pearson(each.hits, each.labels, level=level) if each.labels else (0.0, 1.0)
        low, high = low + weight * bounds[0], high + weight * bounds[1]
        value += weight * each.hits / each.labels if each.labels else 0.0
    return Figure(
        value=value if len(labelled) == len(with_answers) else None,
        low=max(0.0, low),
        high=min(1.0, high),
        labels=labels,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Of `answers` of one kind, `labels` have a label: sums of their errors' squares and fourth powers."""

    answers: int
    labels: int
    squares: float
    fourths: float


def root_mean_square(strata: Iterable[Moments]) -> Figure:
    """RMSE, stratified like a share. Its interval is approximate: no exact one exists for unbounded errors.

    It is the normal interval of the mean squared error (Cochran 1977, 5A.2), its root taken. A stratum of
    fewer than two labels has no variance: then there is no interval, and of none no value.
    """
    with_answers = [each for each in strata if each.answers]
    answers = sum(each.answers for each in with_answers)
    labels = sum(each.labels for each in with_answers)
    if not labels or not all(each.labels for each in with_answers):
        return Figure(value=None, low=None, high=None, labels=labels)
    mean = variance = 0.0
    for each in with_answers:
        weight, own = each.answers / answers, each.squares / each.labels
        mean += weight * own
        if each.labels > 1:
            spread = max(0.0, each.fourths - each.labels * own * own) / (each.labels - 1)
            variance += weight * weight * spread / each.labels
    if any(each.labels < 2 for each in with_answers):
        return Figure(value=math.sqrt(mean), low=None, high=None, labels=labels)
    half = NORMAL * math.sqrt(variance)
    bounds = math.sqrt(max(0.0, mean - half)), math.sqrt(mean + half)
    return Figure(value=math.sqrt(mean), low=bounds[0], high=bounds[1], labels=labels)
