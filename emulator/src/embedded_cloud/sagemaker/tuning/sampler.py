"""Draws the hyperparameters of a tuning job's trials."""

import itertools
import math
import random
from typing import Any

from embedded_cloud.errors import validation_error

Sample = dict[str, str]
_NEAR = 4


class TuningSampler:
    """Draws one sample of hyperparameters after another.

    `ranges` is HyperParameterTuningJobConfig.ParameterRanges. Random draws each value by its ScalingType
    (Auto counts as Linear); Grid walks through all combinations and takes categorical ranges only, as on AWS.
    Bayesian and Hyperband draw as Random does: the embedded cloud shows that a tuning job works, not that it
    searches well. The same seed gives the same samples.

    With `start` (the best sample of a warm start's parents) the first sample is `start`, as far as the ranges
    allow it, and the others lie around it, within a quarter of each range. Grid does not look at it.
    """

    def __init__(
        self,
        *,
        strategy: str,
        ranges: dict[str, list[dict[str, Any]]],
        seed: int,
        start: Sample | None = None,
    ) -> None:
        self._start = start or {}
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
        sample = {limits["Name"]: str(self._integer(limits, index)) for limits in self._integers}
        sample |= {limits["Name"]: repr(self._number(limits, index)) for limits in self._continuous}
        return sample | {choice["Name"]: self._category(choice, index) for choice in self._categories}

    def _integer(self, limits: dict[str, str], index: int) -> int:
        low, high = int(limits["MinValue"]), int(limits["MaxValue"])
        value, width = math.floor(self._scaled(limits, low, high + 1)), max(1, round((high - low) / _NEAR))
        start = self._number_of_start(limits)
        if start is not None:
            value = round(start) + (self._random.randint(-width, width) if index else 0)
        return min(high, max(low, value))

    def _number(self, limits: dict[str, str], index: int) -> float:
        low, high = float(limits["MinValue"]), float(limits["MaxValue"])
        value, start = self._scaled(limits, low, high), self._number_of_start(limits)
        if start is not None:
            kept = min(high, max(low, start))
            # Towards what was drawn anywhere in the range, by its scaling.
            value = kept + (value - kept) / _NEAR if index else kept
        return min(high, max(low, value))

    def _category(self, choice: dict[str, Any], index: int) -> str:
        drawn, start = self._random.choice(choice["Values"]), self._start.get(choice["Name"], "")
        return start if start in choice["Values"] and not index else drawn

    def _number_of_start(self, limits: dict[str, str]) -> float | None:
        try:
            return float(self._start[limits["Name"]])
        except (KeyError, ValueError):
            return None

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
