"""The two parts of a test that has images of production in it: home, and the field.

A model that learned a new light may have lost the old one; over all bins the larger part would hide it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from inference.evaluate.bins import Labels
from inference.evaluate.compare import Evaluated, compare
from inference.evaluate.metrics import Figures

HOME, FIELD = "home", "field"
POWER = 0.8
DISAGREEING = 0.3
"""Share of bins on which one of two models of like worth is right alone."""
_UNKNOWN = {
    HOME: "the test has no image of the public dataset: how good the model is at home is not known; "
    "prepare a dataset with more of its images",
    FIELD: "the test has no image of production: how good the model is there is not known; "
    "label images of more hours",
}


def bins_needed(*, loss: float, level: float) -> int:
    """How many bins a part must have before it decides: a loss of accuracy of `loss` is then found four times
    of five by a one-sided paired test at `level`, where the models disagree on three bins of ten.

    The formula: Connor 1987, Biometrics 43, 207-211, for McNemar's test.
    """
    normal, disagreeing = NormalDist(), max(DISAGREEING, loss)
    deviations = normal.inv_cdf(1 - level) * math.sqrt(disagreeing)
    deviations += normal.inv_cdf(POWER) * math.sqrt(disagreeing - loss**2)
    return math.ceil((deviations / loss) ** 2)


@dataclass(frozen=True)
class Parts:
    """`members` are those of verdict.json; `home` the challenger's figures there, None without a bin."""

    members: dict[str, Any]
    home: Figures | None
    reasons: list[str] = field(default_factory=list[str])
    doubts: list[str] = field(default_factory=list[str])


def evaluate_parts(
    *, labels: Labels, ids: list[str], challenger: Evaluated, champion: Evaluated | None, level: float,
    loss: float,
) -> Parts:  # fmt: skip
    """Both models on each part by itself. A part with too few bins does not decide; where it looks worse all
    the same, or has no bin at all, a person must."""
    needed = bins_needed(loss=loss, level=level)
    members: dict[str, Any] = {"loss": loss, "needed": needed}
    reasons: list[str] = []
    doubts: list[str] = []
    home: Figures | None = None
    for name in (HOME, FIELD):
        own = [id_ for id_ in ids if (id_ in labels.field) == (name == FIELD)]
        part, figures, worse = _part(own, labels.counts, challenger, champion, level=level)
        decides = len(own) >= needed
        members[name] = {"images": len(own), "decides": decides, **part}
        home = figures if name == HOME else home
        few = "" if decides else f", too few to decide ({needed} are needed)"
        said = [f"on the {name} part{few}: {reason}" for reason in worse]
        reasons, doubts = ([*reasons, *said], doubts) if decides else (reasons, [*doubts, *said])
        doubts += [] if own else [_UNKNOWN[name]]
    return Parts(members, home, reasons, doubts)


def _part(
    ids: list[str],
    counts: Mapping[str, int],
    challenger: Evaluated,
    champion: Evaluated | None,
    *,
    level: float,
) -> tuple[dict[str, Any], Figures | None, list[str]]:
    if not ids:
        return {"challenger": None, "champion": None, "comparison": None}, None, []
    true = np.array([counts[id_] for id_ in ids], dtype=np.int64)
    own = challenger.figures(ids, true)
    if champion is None:
        return {"challenger": own.members(), "champion": None, "comparison": None}, own, []
    comparison, worse = compare(ids, true, challenger, champion, level=level)
    theirs = champion.figures(ids, true).members()
    return {"challenger": own.members(), "champion": theirs, "comparison": comparison}, own, worse
