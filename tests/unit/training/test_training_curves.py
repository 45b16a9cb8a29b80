"""The reliability diagram's and the risk-coverage curve's points."""

import numpy as np
import pytest

from bintrain.evaluation.answers import decide
from bintrain.evaluation.curves import CURVE_POINTS, reliability, risk_coverage


def test_a_bin_of_confidence_holds_its_mean_confidence_and_its_accuracy() -> None:
    probabilities = np.array([[0.62, 0.38], [0.66, 0.34], [0.05, 0.95], [1.0, 0.0]])

    points = reliability(decide(probabilities, by="most_probable"), np.array([0, 1, 1, 0]))

    assert points == [
        {"confidence": pytest.approx(0.64), "accuracy": 0.5, "images": 2},
        {"confidence": pytest.approx(0.975), "accuracy": 1.0, "images": 2},
    ]


def test_risk_is_the_share_of_wrong_answers_among_the_most_confident() -> None:
    confidence = np.array([0.5, 0.9, 0.7, 0.8])
    right = np.array([False, True, False, True])

    points = risk_coverage(confidence, right, automatic=np.ones(4, dtype=bool))

    assert [(point["coverage"], point["confidence"]) for point in points] == [
        (0.25, 0.9), (0.5, 0.8), (0.75, 0.7), (1.0, 0.5),
    ]  # fmt: skip
    assert [point["risk"] for point in points] == pytest.approx([0, 0, 1 / 3, 1 / 2])


def test_equal_confidences_are_answered_together() -> None:
    points = risk_coverage(
        np.array([0.9, 0.6, 0.6]), np.array([True, True, False]), automatic=np.ones(3, dtype=bool)
    )

    assert [point["coverage"] for point in points] == pytest.approx([1 / 3, 1.0])


def test_answers_that_always_go_to_review_bound_the_coverage() -> None:
    points = risk_coverage(np.array([0.9, 0.8]), np.array([False, True]), automatic=np.array([False, True]))

    assert points == [{"coverage": 0.5, "risk": 0.0, "confidence": 0.8}]


def test_without_an_answer_there_is_no_curve() -> None:
    assert risk_coverage(np.array([0.9]), np.array([True]), automatic=np.array([False])) == []


def test_a_long_curve_is_thinned_and_keeps_both_ends() -> None:
    confidence = np.linspace(0.2, 0.9, 5000)

    points = risk_coverage(confidence, confidence > 0.5, automatic=np.ones(5000, dtype=bool))

    assert len(points) == CURVE_POINTS
    assert (points[0]["coverage"], points[-1]["coverage"]) == (1 / 5000, 1.0)
