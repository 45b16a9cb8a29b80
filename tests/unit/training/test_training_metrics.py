"""Figures against cases counted by hand."""

import numpy as np
import pytest

from bintrain.data.classes import Classes
from bintrain.errors import TrainingError
from bintrain.evaluation.answers import decide
from bintrain.evaluation.metrics import (
    accuracy_range,
    calibration_error,
    confusion,
    count_metrics,
    majority_accuracy,
    per_count,
)
from bintrain.log import log_metric

CLASSES = Classes(counts=(1, 2, 4), open_top=False)
PREDICTED = np.array([0, 1, 2, 0])
TRUE = np.array([0, 0, 0, 2])
"""As counts: 1 for 1, 2 for 1, 4 for 1, 1 for 4: errors 0, 1, 3, -3."""


def test_errors_are_in_objects_not_in_classes() -> None:
    figures = count_metrics(PREDICTED, TRUE, classes=CLASSES)

    assert figures == pytest.approx(
        {"accuracy": 1 / 4, "rmse": (19 / 4) ** 0.5, "mae": 7 / 4, "within_one": 2 / 4}
    )


def test_per_count_lists_the_true_counts_that_occur() -> None:
    rows = per_count(PREDICTED, TRUE, classes=CLASSES)

    assert [(row["count"], row["images"]) for row in rows] == [(1, 3), (4, 1)]
    assert rows[0]["accuracy"] == pytest.approx(1 / 3)
    assert rows[1]["rmse"] == 3


def test_confusion_has_a_row_for_each_true_class() -> None:
    assert confusion(PREDICTED, TRUE, classes=CLASSES).tolist() == [[1, 1, 1], [0, 0, 0], [1, 0, 0]]


def test_the_majority_is_that_of_training() -> None:
    assert majority_accuracy(np.array([0, 1, 1, 2]), train=np.array([2, 2, 1])) == 1 / 4
    assert majority_accuracy(np.array([0, 1, 1, 2]), train=np.array([2, 2, 1, 1])) == 2 / 4


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    true = np.array([0, 1, 0, 0])

    assert calibration_error(decide(probabilities, by="most_probable"), true) == pytest.approx(
        (2 * 0.4 + 2 * 0.4) / 4
    )


def test_a_metric_is_one_line_of_the_contract_s_form(capsys: pytest.CaptureFixture[str]) -> None:
    log_metric("validation:accuracy", 0.4123, epoch=3)
    log_metric("test:rmse", 1e-7)

    assert capsys.readouterr().out == (
        "metric=validation:accuracy value=0.4123 epoch=3\nmetric=test:rmse value=1e-07\n"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_ends_the_job(value: float) -> None:
    with pytest.raises(TrainingError, match="train:loss became .*Lower --learning-rate"):
        log_metric("train:loss", value)


def test_few_images_leave_the_accuracy_in_a_wide_range() -> None:
    # Wilson's interval for 10 of 40 (Newcombe 1998, formula 3): 14.19 % to 40.19 %.
    few = accuracy_range(np.repeat([0, 1], [10, 30]), np.zeros(40, dtype=np.int64))
    many = accuracy_range(np.repeat([0, 1], [1000, 3000]), np.zeros(4000, dtype=np.int64))

    assert few == pytest.approx([0.1419, 0.4019], abs=1e-4)
    assert 0.23 < many[0] < 0.25 < many[1] < 0.27
