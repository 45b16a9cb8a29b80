"""Best known results of counting on public bins, by task, and the floors of the gate that follow."""

from collections.abc import Callable
from dataclasses import dataclass

ALL = "public-0-to-5"
EVEN = "public-0-to-5-even"
LIST = "public-list-1-to-5"
OTHER = "other"

_ABID = "github.com/silverbottlep/abid_challenge, README (2017)"
_CS229 = "Rodriguez Bertorello, Sripada, Dendumrongsup 2018, cs229.stanford.edu/proj2018/report/65.pdf"
_COURSE = "a public course project; its address was not kept"
_HERE = "measured for this project: docs/decisions/0013-gaussian-soft-labels.md"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A result: shares of right answers and of those at most one object off, RMSE in objects; None: not said.

    `images` were learnt from; `split` is how those that judge were chosen, "block" keeps neighbours together.
    """

    task: str
    model: str
    images: str
    split: str
    accuracy: float
    rmse: float | None
    within_one: float | None
    source: str


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

KNOWN = (
    Known(
        task=ALL, model="ResNet34, ImageNet weights", images="324,000 in all", split="random",
        accuracy=0.562, rmse=0.90, within_one=0.905, source=_CS229,
    ),
    Known(
        task=ALL, model="ResNet34, from scratch", images="those of 481,711 with 0 to 5 objects",
        split="random", accuracy=0.5567, rmse=0.930, within_one=None, source=_ABID,
    ),
    Known(
        task=ALL, model="ResNet50, ImageNet weights", images="324,000 in all", split="random",
        accuracy=0.552, rmse=0.91, within_one=None, source=_CS229,
    ),
    Known(
        task=ALL, model="VGG16, fine-tuned", images="not said", split="not said",
        accuracy=0.465, rmse=1.214, within_one=None,
        source="github.com/dandresky/inventory-classifier, as github.com/jaejun-lee/amzbinimg quotes it",
    ),
    Known(
        task=EVEN, model="ResNet34, from scratch (mean of its figures for each count)",
        images="those of 481,711 with 0 to 5 objects", split="random",
        accuracy=0.651, rmse=0.852, within_one=None, source=_ABID,
    ),
    Known(
        task=LIST, model="ResNet50 at 64 pixels, fine-tuned", images="some 8,400", split="random",
        accuracy=0.43, rmse=None, within_one=None, source=_COURSE,
    ),
    Known(
        task=LIST, model="EfficientNet-Lite0 at 128 pixels, CORN", images="5,038 of the list", split="block",
        accuracy=0.402, rmse=1.164, within_one=0.812, source=_HERE,
    ),
    Known(
        task=LIST, model="EfficientNet-Lite0 at 128 pixels, Gaussian soft labels", images="5,038 of the list",
        split="block", accuracy=0.388, rmse=1.124, within_one=0.830, source=_HERE,
    ),
    Known(
        task=LIST, model="ResNet50, backbone frozen (the seed project)", images="some 8,400", split="random",
        accuracy=0.32, rmse=None, within_one=None, source="the seed project's own figure",
    ),
    Known(
        task=LIST, model="not said", images="some 8,400", split="random",
        accuracy=0.294, rmse=1.42, within_one=None, source=_COURSE,
    ),
)  # fmt: skip
"""One row a result, the best of a task first."""


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
