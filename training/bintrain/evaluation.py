"""Judge the exported model: everything is chosen on `select`, every published figure comes from `report`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from bintrain.calibration import Calibration, calibrate
from bintrain.classes import Classes
from bintrain.conformal import interval_holds, interval_widths
from bintrain.curves import reliability, risk_coverage
from bintrain.metrics import (
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
class Judged:
    """One part's logits [N, C] and true class indices [N]."""

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
    select: dict[str, Any]
    report: dict[str, Any]
    details: dict[str, Any]


def evaluate(
    *, select: Judged, report: Judged, train: Ints, classes: Classes, settings: Settings
) -> Evaluation:
    """Calibrate on `select`; figures of both parts; what the calibration is worth, measured on `report`.

    `train` are the training images' class indices, for the majority class.
    """
    calibration = calibrate(select.logits, select.true, classes=classes, settings=settings)
    before, after = report.probabilities(1.0), report.probabilities(calibration.temperature)
    majority = {"majority_accuracy": majority_accuracy(report.true, train=train)}
    return Evaluation(
        calibration=calibration,
        select=_figures(select, classes=classes),
        report=_figures(report, classes=classes) | majority,
        details={
            "accuracy_range": accuracy_range(report.predicted, report.true),
            "per_count": per_count(report.predicted, report.true, classes=classes),
            "confusion": confusion(report.predicted, report.true, classes=classes).tolist(),
            "calibration_error": {
                "before": calibration_error(before, report.true),
                "after": calibration_error(after, report.true),
            },
            "reliability": {
                "before": reliability(before, report.true),
                "after": reliability(after, report.true),
            },
            "risk_coverage": risk_coverage(
                after.max(axis=1),
                report.predicted == report.true,
                automatic=_answerable(report, classes=classes),
            ),
            "interval": _interval_figures(report, calibration=calibration, promised=settings.coverage),
            "review": _review_figures(report, calibration=calibration, classes=classes),
        },
    )


def _figures(judged: Judged, *, classes: Classes) -> dict[str, Any]:
    return {**count_metrics(judged.predicted, judged.true, classes=classes), "images": len(judged.true)}


def _interval_figures(judged: Judged, *, calibration: Calibration, promised: float) -> dict[str, float]:
    probabilities = judged.probabilities(calibration.temperature)
    quantile = calibration.score_quantile
    return {
        "promised_coverage": promised,
        "coverage": float(interval_holds(probabilities, judged.true, quantile=quantile).mean()),
        "mean_width": float(interval_widths(probabilities, quantile=quantile).mean()),
    }


def _review_figures(judged: Judged, *, calibration: Calibration, classes: Classes) -> dict[str, float | None]:
    confidence = judged.probabilities(calibration.temperature).max(axis=1)
    automatic = np.zeros(len(confidence), dtype=bool)
    if calibration.confidence_below is not None:
        automatic = _answerable(judged, classes=classes) & (confidence >= calibration.confidence_below)
    right = (judged.predicted == judged.true)[automatic]
    return {
        "automated_share": float(automatic.mean()),
        "automated_accuracy": float(right.mean()) if len(right) else None,
    }


def _answerable(judged: Judged, *, classes: Classes) -> NDArray[np.bool_]:
    """All answers but those of an open top class, which always go to review."""
    if not classes.open_top:
        return np.ones(len(judged.true), dtype=bool)
    return judged.predicted < len(classes.counts) - 1
