"""Draws the hyperparameters of a tuning job's trials."""

import itertools
import math
import random
from typing import Any

from embedded_cloud.errors import validation_error

Sample = dict[str, str]


class TuningSampler:
    """Draws one sample of hyperparameters after another.

    `ranges` is HyperParameterTuningJobConfig.ParameterRanges. Random draws each value by its ScalingType
    (Auto counts as Linear); Grid walks through all combinations and takes categorical ranges only, as on AWS.
    Bayesian and Hyperband draw as Random does: the embedded cloud shows that a tuning job works, not that it
    searches well. The same seed gives the same samples.
    """

    def __init__(self, *, strategy: str, ranges: dict[str, list[dict[str, Any]]], seed: int) -> None:
        self._integers = ranges.get("IntegerParameterRanges", [])
        self._continuous = ranges.get("ContinuousParameterRanges", [])
        self._categories = ranges.get("CategoricalParameterRanges", [])
        self._random = random.Random(seed)
        for limits in [*self._integers, *self._continuous]:
            _check_limits(limits)
        if strategy == "Grid" and (self._integers or self._continuous):
            raise validation_error("The Grid strategy takes CategoricalParameterRanges only.")
        self._grid = self._combinations() if strategy == "Grid" else None

    @property
    def size(self) -> int | None:
        """How many samples there are at all; None where there is no end of them."""
        return len(self._grid) if self._grid is not None else None

    def draw(self, index: int) -> Sample:
        """The sample of trial `index` (from 0), to be called in order."""
        if self._grid is not None:
            return self._grid[index]
        sample = {limits["Name"]: str(self._integer(limits)) for limits in self._integers}
        sample |= {limits["Name"]: repr(self._number(limits)) for limits in self._continuous}
        return sample | {choice["Name"]: self._random.choice(choice["Values"]) for choice in self._categories}

    def _integer(self, limits: dict[str, str]) -> int:
        low, high = int(limits["MinValue"]), int(limits["MaxValue"])
        return min(high, max(low, math.floor(self._scaled(limits, low, high + 1))))

    def _number(self, limits: dict[str, str]) -> float:
        low, high = float(limits["MinValue"]), float(limits["MaxValue"])
        return min(high, max(low, self._scaled(limits, low, high)))

    def _scaled(self, limits: dict[str, str], low: float, high: float) -> float:
        scaling = limits.get("ScalingType", "Auto")
        share = self._random.random()
        if scaling == "Logarithmic":
            return low * (high / low) ** share
        if scaling == "ReverseLogarithmic":
            return 1.0 - (1.0 - high) * ((1.0 - low) / (1.0 - high)) ** share
        return low + (high - low) * share

    def _combinations(self) -> list[Sample]:
        names = [choice["Name"] for choice in self._categories]
        values = [choice["Values"] for choice in self._categories]
        return [dict(zip(names, row, strict=True)) for row in itertools.product(*values)]


def _check_limits(limits: dict[str, str]) -> None:
    name = limits["Name"]
    try:
        low, high = float(limits["MinValue"]), float(limits["MaxValue"])
    except ValueError as error:
        raise validation_error(f"The range of {name} must be numbers: {error}") from error
    if low > high:
        raise validation_error(f"The range of {name} ends at {high} before it starts at {low}.")
    scaling = limits.get("ScalingType")
    if scaling == "Logarithmic" and low <= 0:
        raise validation_error(f"Logarithmic scaling of {name} needs a MinValue above 0, got {low}.")
    if scaling == "ReverseLogarithmic" and not (low >= 0 and high < 1):
        raise validation_error(
            f"ReverseLogarithmic scaling of {name} needs 0 <= values < 1, got {low} to {high}."
        )
