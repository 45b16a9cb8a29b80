"""The floors of the gate by task, and the bound of what a stage may state: what a known model reaches.

What a stage states itself is in infra/settings/release.py, class Gate.
"""

from collections.abc import Callable
from dataclasses import dataclass

from infra.training.gate.known_results import ALL, EVEN, KNOWN, LIST, OTHER, Known


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is counted, and the floors (RMSE: the ceiling) of a stage that states none of its own."""

    words: str
    min_accuracy: float
    max_rmse: float
    min_within_one: float


TASKS = {
    ALL: Task(
        words="all bins of the public dataset with 0 to 5 objects",
        min_accuracy=0.5,
        max_rmse=1.0,
        min_within_one=0.85,
    ),
    EVEN: Task(
        words="bins of the public dataset with 0 to 5 objects, as many of each count",
        min_accuracy=0.35,
        max_rmse=1.5,
        min_within_one=0.7,
    ),
    LIST: Task(
        words="the list of 10,441 bins of the public dataset with 1 to 5 objects",
        min_accuracy=0.33,
        max_rmse=1.25,
        min_within_one=0.75,
    ),
    OTHER: Task(words="other bins", min_accuracy=0.35, max_rmse=1.5, min_within_one=0.7),
}
"""Floors of a list are between those of always answering 3 (0.25, 1.30, 0.69) and the best block split."""


def floor_fault(name: str, value: float | None, *, task: str) -> str | None:
    """Why no known model passes the floor `name` (min_accuracy, max_rmse, min_within_one); or None."""
    if value is None:
        return None
    choose: Callable[..., Known] = min if name == "max_rmse" else max
    figure = name[4:]
    known = [row for row in KNOWN if row.task == task and getattr(row, figure) is not None]
    if not known:
        return None
    best = choose(known, key=lambda row: getattr(row, figure))
    reached: float = getattr(best, figure)
    if value >= reached if name == "max_rmse" else value <= reached:
        return None
    default: float = getattr(TASKS[task], name)
    return (
        f"no known model reaches it on {TASKS[task].words}: the best is {reached:g} ({best.model}, "
        f"{best.images} images, {best.split} split; docs/leaderboard.md). Take at "
        f"{'least' if name == 'max_rmse' else 'most'} that, or null for {default:g}; where the stage counts "
        f"other bins, or your model is better than all that is known, set gate.task to {OTHER}"
    )
