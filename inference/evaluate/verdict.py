"""The gate's rules: floors for the challenger, and no step back from the champion."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.evaluate.bins import Labels
from inference.evaluate.compare import Evaluated, compare
from inference.evaluate.metrics import Figures
from inference.evaluate.parts import Parts, evaluate_parts


@dataclass(frozen=True, slots=True)
class Rules:
    """The floors (RMSE: a ceiling), the level of the paired test, and how many bins need no person."""

    min_accuracy: float
    max_rmse: float
    min_within_one: float
    min_coverage: float
    level: float
    min_images: int


def evaluate_challenger(
    *, labels: Labels, challenger: Evaluated, champion: Evaluated | None, rules: Rules, part_loss: float
) -> dict[str, Any]:
    """The members of verdict.json that follow from the answers (docs/schemas/verdict.schema.json).

    Bins that one of the models could not read are left out for both. Of a dataset with images of production
    the floors hold on home's, which they are known for, and both parts are looked at by themselves.
    """
    ids = sorted(labels.counts.keys() - _unreadable(challenger, champion))
    true = np.array([labels.counts[id_] for id_ in ids], dtype=np.int64)
    own = challenger.figures(ids, true)
    parts = Parts({}, None)
    if labels.has_field:
        parts = evaluate_parts(
            labels=labels,
            ids=ids,
            challenger=challenger,
            champion=champion,
            level=rules.level,
            loss=part_loss,
        )
    reasons = _below_floors(parts.home or own, rules)
    verdict: dict[str, Any] = {
        "images": len(ids),
        "unreadable": sorted(_unreadable(challenger, champion)),
        "rules": {name: getattr(rules, name) for name in Rules.__slots__},
        "challenger": _members(challenger, own),
        "champion": None,
        "comparison": None,
    }
    if champion is not None:
        theirs = champion.figures(ids, true)
        verdict["champion"] = _members(champion, theirs)
        verdict["comparison"], worse = compare(ids, true, challenger, champion, level=rules.level)
        reasons += worse
    if labels.has_field:
        verdict["parts"] = parts.members
    reasons += parts.reasons
    doubts = [*_doubts(len(ids), challenger, champion, rules), *parts.doubts]
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


def _unreadable(challenger: Evaluated, champion: Evaluated | None) -> set[str]:
    return challenger.examination.unreadable | (champion.examination.unreadable if champion else set())


def _members(model: Evaluated, own: Figures) -> dict[str, Any]:
    description = model.description
    return {
        "model_id": description.model_id,
        "classes": {"counts": list(description.counts), "open_top": description.open_top},
        "metrics": own.members(),
    }
