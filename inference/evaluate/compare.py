"""Two models on the same bins: is the challenger worse than the champion beyond noise?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bincount_core.model_json import Description
from inference.evaluate.examine import Examination, Reply
from inference.evaluate.metrics import Figures, Integers, figures
from inference.evaluate.paired import DRAWS, SEED, chance_of_worse

TEST = "paired permutation test, one-sided"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A model and what it said."""

    description: Description
    examination: Examination

    @property
    def top(self) -> int | None:
        """The lowest number of its open top class, or None."""
        return self.description.counts[-1] if self.description.open_top else None

    def figures(self, ids: list[str], true: Integers) -> Figures:
        """Its figures on the bins `ids`, whose true counts are `true` [images]."""
        return figures(self.replies(ids), true, top=self.top)

    def replies(self, ids: list[str]) -> list[Reply]:
        """What it said of the bins, in their order."""
        return [self.examination.replies[id_] for id_ in ids]


def compare(
    ids: list[str], true: Integers, challenger: Evaluated, champion: Evaluated, *, level: float
) -> tuple[dict[str, Any], list[str]]:
    """The comparison as verdict.json has it, and a reason for each figure that is worse beyond noise.

    Both on one scale: truth and answers are capped at the lower of the models' open top classes.
    """
    tops = [model.top for model in (challenger, champion) if model.top is not None]
    capped_at = min(tops) if tops else None
    new, old = (_squares(model.replies(ids), true, top=capped_at) for model in (challenger, champion))
    comparison: dict[str, Any] = {
        "test": TEST,
        "draws": DRAWS,
        "seed": SEED,
        "level": level,
        "capped_at": capped_at,
    }
    reasons: list[str] = []
    for name, harm, ours, theirs in (
        (
            "accuracy",
            (new > 0).astype(np.int64) - (old > 0),
            float((new == 0).mean()),
            float((old == 0).mean()),
        ),
        ("rmse", new - old, float(np.sqrt(new.mean())), float(np.sqrt(old.mean()))),
    ):
        p = chance_of_worse(harm)
        comparison[name] = {"challenger": round(ours, 6), "champion": round(theirs, 6), "p": round(p, 6)}
        if p < level:
            reasons.append(
                f"{name} is {ours:.4f} against the champion's {theirs:.4f} on the same {len(ids)} bins, "
                f"worse beyond noise (p = {p:.4f} < {level:g})"
            )
    return comparison, reasons


def _squares(replies: list[Reply], true: Integers, *, top: int | None) -> Integers:
    counts = np.array([reply.count for reply in replies], dtype=np.int64)
    if top is not None:
        counts, true = np.minimum(counts, top), np.minimum(true, top)
    return (counts - true) ** 2
