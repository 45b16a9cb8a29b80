"""What the gate promised of a model, and whether production breaks it beyond chance."""

from collections.abc import Mapping
from typing import Any


def broken(figures: Mapping[str, Mapping[str, Any]], floors: Mapping[str, float]) -> list[str]:
    """The figures whose whole interval is on the wrong side of the gate's floor.

    `floors` has min_accuracy, min_within_one, min_coverage and max_rmse, as the gate's settings. Production
    breaks a promise where even the favourable end of its interval does: few labels break none.
    """
    found: list[str] = []
    for name, floor in sorted(floors.items()):
        side, _, figure = name.partition("_")
        end = figures[figure]["high" if side == "min" else "low"]
        if end is not None and (end < floor if side == "min" else end > floor):
            found.append(figure)
    return found
