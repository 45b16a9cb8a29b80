"""What turns logits into probabilities and decisions; everything here is chosen on the split `validation`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize_scalar
from scipy.special import log_softmax

from bincount_core.answer import Rule
from bintrain.data.classes import Classes
from bintrain.evaluation.answers import Answers, answers
from bintrain.evaluation.conformal import join_scores, score_quantile
from bintrain.settings import Settings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TEMPERATURES = (0.05, 20.0)
"""Where the temperature is looked for."""

MIN_AUTOMATED = 20
"""Fewest images that may vouch for a review threshold: one lucky answer is no promise."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The numbers of model.json's `calibration`."""

    temperature: float
    score_quantile: float
    confidence_below: float | None
    mismatch_below: float


def calibrate(logits: Floats, true: Ints, *, classes: Classes, settings: Settings) -> Calibration:
    """Choose temperature, interval quantile and thresholds from logits [N, C] and true class indices [N]."""
    temperature = fit_temperature(logits, true)
    found = answers(logits, temperature=temperature, by=settings.answer)
    true_probability = found.probabilities[np.arange(len(true)), true]
    scores = join_scores(found)[np.arange(len(true)), true]
    return Calibration(
        temperature=temperature,
        score_quantile=score_quantile(scores, coverage=settings.coverage),
        confidence_below=review_threshold(found, true, classes=classes, target=settings.target_accuracy),
        mismatch_below=mismatch_threshold(true_probability, rate=settings.false_alarm),
    )


def fit_temperature(logits: Floats, true: Ints) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017, arXiv 1706.04599)."""

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / math.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(true)), true].mean())

    low, high = (math.log(bound) for bound in TEMPERATURES)
    found: OptimizeResult = minimize_scalar(loss, bounds=(low, high), method="bounded")
    return math.exp(float(found["x"]))


def calibrated_answers(logits: Floats, true: Ints, *, by: Rule) -> Answers:
    """The answers that a model would give which was calibrated on these very images (logits [N, C])."""
    return answers(logits, temperature=fit_temperature(logits, true), by=by)


def review_threshold(found: Answers, true: Ints, *, classes: Classes, target: float) -> float | None:
    """The lowest confidence from which on answers are right at least `target` of the time; None without one.

    Answers of an open top class go to review anyway and are left out. At least MIN_AUTOMATED images
    must vouch.
    """
    predicted = found.predicted
    automatic = predicted < len(classes.counts) - 1 if classes.open_top else np.ones(len(true), dtype=bool)
    confidence = found.confidence[automatic]
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], (predicted == true)[automatic][order]
    answered = np.arange(1, len(right) + 1)
    # Equal confidences belong together: only the last of them may end the run.
    last = np.append(confidence[1:] < confidence[:-1], True)[: len(right)]
    good = last & (np.cumsum(right) / answered >= target) & (answered >= MIN_AUTOMATED)
    return float(confidence[np.flatnonzero(good)[-1]]) if good.any() else None


def mismatch_threshold(true_probability: Floats, *, rate: float) -> float:
    """The probability below which an expected number is called wrong; at most `rate` of right ones are.

    The floor((n + 1) * rate)-th smallest probability of the true class; 0 (never) where n is too small.
    """
    rank = math.floor((len(true_probability) + 1) * rate)
    return float(np.sort(true_probability)[rank - 1]) if rank >= 1 else 0.0
