"""Evaluate the exported model: all is chosen on `validation`, every published figure comes from `test`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bintrain.data.classes import Classes
from bintrain.evaluation.answers import Answers, answers
from bintrain.evaluation.calibration import Calibration, calibrate
from bintrain.evaluation.conformal import interval_holds, interval_widths
from bintrain.evaluation.curves import reliability, risk_coverage
from bintrain.evaluation.metrics import (
    accuracy_range,
    calibration_error,
    confusion,
    count_metrics,
    majority_accuracy,
    per_count,
)
from bintrain.settings import Settings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """One split's logits [N, C] and true class indices [N]."""

    logits: Floats
    true: Ints


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is known of the exported model; `answers` are those on `test`."""

    calibration: Calibration
    answers: Answers
    validation: dict[str, Any]
    test: dict[str, Any]
    details: dict[str, Any]


def evaluate(
    *, validation: Evaluated, test: Evaluated, train: Ints, classes: Classes, settings: Settings
) -> Evaluation:
    """Calibrate on `validation`; figures of both; what the calibration is worth, measured on `test`.

    `train` are the training images' class indices, for the majority class.
    """
    calibration = calibrate(validation.logits, validation.true, classes=classes, settings=settings)
    temperature, by, true = calibration.temperature, settings.answer, test.true
    chosen = answers(validation.logits, temperature=temperature, by=by)
    before = answers(test.logits, temperature=1.0, by=by)
    after = answers(test.logits, temperature=temperature, by=by)
    majority = {"majority_accuracy": majority_accuracy(true, train=train)}
    return Evaluation(
        calibration=calibration,
        answers=after,
        validation=_figures(chosen, validation.true, classes=classes),
        test=_figures(after, true, classes=classes) | majority,
        details={
            "accuracy_range": accuracy_range(after.predicted, true),
            "per_count": per_count(after.predicted, true, classes=classes),
            "confusion": confusion(after.predicted, true, classes=classes).tolist(),
            "calibration_error": {
                "before": calibration_error(before, true),
                "after": calibration_error(after, true),
            },
            "reliability": {"before": reliability(before, true), "after": reliability(after, true)},
            "risk_coverage": risk_coverage(
                after.confidence, after.predicted == true, automatic=_answerable(after, classes=classes)
            ),
            "interval": _interval_figures(after, true, calibration=calibration, promised=settings.coverage),
            "review": _review_figures(after, true, calibration=calibration, classes=classes),
        },
    )


def _figures(found: Answers, true: Ints, *, classes: Classes) -> dict[str, Any]:
    return {**count_metrics(found.predicted, true, classes=classes), "images": len(true)}


def _interval_figures(
    found: Answers, true: Ints, *, calibration: Calibration, promised: float
) -> dict[str, float]:
    quantile = calibration.score_quantile
    return {
        "promised_coverage": promised,
        "coverage": float(interval_holds(found, true, quantile=quantile).mean()),
        "mean_width": float(interval_widths(found, quantile=quantile).mean()),
    }


def _review_figures(
    found: Answers, true: Ints, *, calibration: Calibration, classes: Classes
) -> dict[str, float | None]:
    automatic = np.zeros(len(true), dtype=bool)
    if calibration.confidence_below is not None:
        automatic = _answerable(found, classes=classes) & (found.confidence >= calibration.confidence_below)
    right = (found.predicted == true)[automatic]
    return {
        "automated_share": float(automatic.mean()),
        "automated_accuracy": float(right.mean()) if len(right) else None,
    }


def _answerable(found: Answers, *, classes: Classes) -> NDArray[np.bool_]:
    """All answers but those of an open top class, which always go to review."""
    if not classes.open_top:
        return np.ones(len(found.predicted), dtype=bool)
    return found.predicted < len(classes.counts) - 1
