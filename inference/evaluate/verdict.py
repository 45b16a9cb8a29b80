"""The gate's rules: floors for the challenger, and no step back from the champion."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bincount_core.model_json import Description
from inference.evaluate.examine import Examination, Reply
from inference.evaluate.metrics import Figures, Integers, figures
from inference.evaluate.paired import DRAWS, SEED, chance_of_worse

TEST = "paired permutation test, one-sided"


@dataclass(frozen=True, slots=True)
class Rules:
    """The floors (RMSE: a ceiling), the level of the paired test, and how many bins need no person."""

    min_accuracy: float
    max_rmse: float
    min_within_one: float
    min_coverage: float
    level: float
    min_images: int


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A model and what it said."""

    description: Description
    examination: Examination

    @property
    def top(self) -> int | None:
        """The lowest number of its open top class, or None."""
        return self.description.counts[-1] if self.description.open_top else None


def evaluate_challenger(
    *, labels: dict[str, int], challenger: Evaluated, champion: Evaluated | None, rules: Rules
) -> dict[str, Any]:
    """The members of verdict.json that follow from the answers (docs/schemas/verdict.schema.json).

    Bins that one of the models could not read are left out for both.
    """
    ids = sorted(labels.keys() - _unreadable(challenger, champion))
    true = np.array([labels[id_] for id_ in ids], dtype=np.int64)
    own = figures(_replies(challenger, ids), true, top=challenger.top)
    reasons = _below_floors(own, rules)
    verdict: dict[str, Any] = {
        "images": len(ids),
        "unreadable": sorted(_unreadable(challenger, champion)),
        "rules": {name: getattr(rules, name) for name in Rules.__slots__},
        "challenger": _members(challenger, own),
        "champion": None,
        "comparison": None,
    }
    if champion is not None:
        theirs = figures(_replies(champion, ids), true, top=champion.top)
        verdict["champion"] = _members(champion, theirs)
        verdict["comparison"], worse = _compare(ids, true, challenger, champion, level=rules.level)
        reasons += worse
    doubts = _doubts(len(ids), challenger, champion, rules)
    return {"accepted": not reasons, "reasons": reasons, "needs_person": doubts, **verdict}


def _doubts(images: int, challenger: Evaluated, champion: Evaluated | None, rules: Rules) -> list[str]:
    """What figures cannot settle, so that a person decides even where approvals are automatic."""
    doubts: list[str] = []
    if images < rules.min_images:
        doubts.append(f"it was evaluated on {images} bins, at least {rules.min_images} are wanted")
    if champion is not None:
        lost = sorted(set(champion.description.counts) - set(challenger.description.counts))
        if lost:
            named = ", ".join(map(str, lost))
            doubts.append(f"it has no class for {named}, the champion has")
    return doubts


def _below_floors(own: Figures, rules: Rules) -> list[str]:
    floors = [
        ("accuracy", own.accuracy, rules.min_accuracy),
        ("within_one", own.within_one, rules.min_within_one),
        ("coverage", own.coverage, rules.min_coverage),
    ]
    reasons = [
        f"{name} is {value:.4f}, at least {least:g} is wanted"
        for name, value, least in floors
        if value < least
    ]
    if own.rmse > rules.max_rmse:
        reasons.append(f"rmse is {own.rmse:.4f}, at most {rules.max_rmse:g} is wanted")
    return reasons


def _compare(
    ids: list[str], true: Integers, challenger: Evaluated, champion: Evaluated, *, level: float
) -> tuple[dict[str, Any], list[str]]:
    """Both on one scale: truth and answers are capped at the lower of the models' open top classes."""
    tops = [model.top for model in (challenger, champion) if model.top is not None]
    capped_at = min(tops) if tops else None
    new, old = (_squares(_replies(model, ids), true, top=capped_at) for model in (challenger, champion))
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


def _replies(model: Evaluated, ids: list[str]) -> list[Reply]:
    return [model.examination.replies[id_] for id_ in ids]


def _unreadable(challenger: Evaluated, champion: Evaluated | None) -> set[str]:
    return challenger.examination.unreadable | (champion.examination.unreadable if champion else set())


def _members(model: Evaluated, own: Figures) -> dict[str, Any]:
    description = model.description
    return {
        "model_id": description.model_id,
        "classes": {"counts": list(description.counts), "open_top": description.open_top},
        "metrics": own.members(),
    }
