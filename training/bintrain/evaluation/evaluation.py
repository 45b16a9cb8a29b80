"""Evaluate the exported model: all is chosen on `validation`, every published figure comes from `test`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from bintrain.data.classes import Classes
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

    @property
    def predicted(self) -> Ints:
        """The reported class: the most probable one, [N]."""
        return self.logits.argmax(axis=1)

    def probabilities(self, temperature: float) -> Floats:
        """Calibrated probabilities, [N, C]."""
        return softmax(self.logits / temperature, axis=1)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is known of the exported model."""

    calibration: Calibration
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
    before, after = test.probabilities(1.0), test.probabilities(calibration.temperature)
    majority = {"majority_accuracy": majority_accuracy(test.true, train=train)}
    return Evaluation(
        calibration=calibration,
        validation=_figures(validation, classes=classes),
        test=_figures(test, classes=classes) | majority,
        details={
            "accuracy_range": accuracy_range(test.predicted, test.true),
            "per_count": per_count(test.predicted, test.true, classes=classes),
            "confusion": confusion(test.predicted, test.true, classes=classes).tolist(),
            "calibration_error": {
                "before": calibration_error(before, test.true),
                "after": calibration_error(after, test.true),
            },
            "reliability": {
                "before": reliability(before, test.true),
                "after": reliability(after, test.true),
            },
            "risk_coverage": risk_coverage(
                after.max(axis=1),
                test.predicted == test.true,
                automatic=_answerable(test, classes=classes),
            ),
            "interval": _interval_figures(test, calibration=calibration, promised=settings.coverage),
            "review": _review_figures(test, calibration=calibration, classes=classes),
        },
    )


def _figures(evaluated: Evaluated, *, classes: Classes) -> dict[str, Any]:
    return {
        **count_metrics(evaluated.predicted, evaluated.true, classes=classes),
        "images": len(evaluated.true),
    }


def _interval_figures(evaluated: Evaluated, *, calibration: Calibration, promised: float) -> dict[str, float]:
    probabilities = evaluated.probabilities(calibration.temperature)
    quantile = calibration.score_quantile
    return {
        "promised_coverage": promised,
        "coverage": float(interval_holds(probabilities, evaluated.true, quantile=quantile).mean()),
        "mean_width": float(interval_widths(probabilities, quantile=quantile).mean()),
    }


def _review_figures(
    evaluated: Evaluated, *, calibration: Calibration, classes: Classes
) -> dict[str, float | None]:
    confidence = evaluated.probabilities(calibration.temperature).max(axis=1)
    automatic = np.zeros(len(confidence), dtype=bool)
    if calibration.confidence_below is not None:
        automatic = _answerable(evaluated, classes=classes) & (confidence >= calibration.confidence_below)
    right = (evaluated.predicted == evaluated.true)[automatic]
    return {
        "automated_share": float(automatic.mean()),
        "automated_accuracy": float(right.mean()) if len(right) else None,
    }


def _answerable(evaluated: Evaluated, *, classes: Classes) -> NDArray[np.bool_]:
    """All answers but those of an open top class, which always go to review."""
    if not classes.open_top:
        return np.ones(len(evaluated.true), dtype=bool)
    return evaluated.predicted < len(classes.counts) - 1
