"""The calibrated answer, by cases computed by hand."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bincount_core.model_json import Description
from inference.model.answer import make_answer, verifications, verify

MODEL = Description(
    model_id="m",
    architecture="none",
    precision="FP32",
    counts=(0, 1, 2, 3),
    open_top=False,
    width=8,
    height=8,
    temperature=1.0,
    score_quantile=0.8,
    confidence_below=0.6,
    mismatch_below=0.05,
)
OPEN = dataclasses.replace(MODEL, open_top=True)
MEDIAN = dataclasses.replace(MODEL, answer="median")


def logits(*probabilities: float) -> np.ndarray:
    """Logits whose softmax is these probabilities."""
    return np.log(np.asarray(probabilities, dtype=np.float32))


def test_probabilities_are_a_softmax():
    answer = make_answer(logits(0.1, 0.2, 0.3, 0.4), model=MODEL)
    assert answer.probabilities == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert (answer.count, answer.confidence) == (3, pytest.approx(0.4))


def test_the_expected_value_is_the_mean_count():
    """0 x 0.1 + 1 x 0.2 + 2 x 0.3 + 3 x 0.4 = 2.0"""
    assert make_answer(logits(0.1, 0.2, 0.3, 0.4), model=MODEL).expected_value == pytest.approx(2.0)


def test_a_temperature_of_2_takes_square_roots_of_the_odds():
    """Odds of 4 to 1 become 2 to 1."""
    model = dataclasses.replace(MODEL, counts=(0, 1), temperature=2.0)
    assert make_answer(logits(0.2, 0.8), model=model).probabilities == pytest.approx((1 / 3, 2 / 3))


def test_large_logits_do_not_overflow():
    answer = make_answer(np.array([1e4, 0, -1e4, 0], dtype=np.float32), model=MODEL)
    assert (answer.count, answer.confidence) == (0, 1.0)


def test_equal_probabilities_count_the_lower():
    assert make_answer(logits(0.1, 0.4, 0.4, 0.1), model=MODEL).count == 1


@pytest.mark.parametrize(
    ("probabilities", "quantile", "count", "interval"),
    [
        ((0.4, 0.15, 0.15, 0.3), 0.0, 1, (1, 1)),
        ((0.4, 0.15, 0.15, 0.3), 0.5, 1, (0, 1)),  # 0 joins at 0.15, the next one would at 0.55
        ((0.3, 0.12, 0.13, 0.45), 0.2, 2, (2, 3)),
        ((0.1, 0.4, 0.4, 0.1), 0.3, 1, (1, 1)),
    ],
)
def test_a_model_that_answers_by_the_median_counts_it(probabilities, quantile, count, interval):
    """`confidence` is that count's own probability, and the interval grows around it."""
    model = dataclasses.replace(MEDIAN, score_quantile=quantile)
    answer = make_answer(logits(*probabilities), model=model)
    assert (answer.count, answer.interval) == (count, interval)
    assert answer.confidence == pytest.approx(probabilities[count])


def test_the_median_is_found_in_calibrated_probabilities():
    """Of 0.55, 0.25, 0.15 and 0.05 it is 0; at temperature 2 they are 0.40, 0.27, 0.21 and 0.12."""
    model = dataclasses.replace(MEDIAN, temperature=2.0)
    assert make_answer(logits(0.55, 0.25, 0.15, 0.05), model=MEDIAN).count == 0
    assert make_answer(logits(0.55, 0.25, 0.15, 0.05), model=model).count == 1


@pytest.mark.parametrize(
    ("probabilities", "expected", "verdict"),
    [
        ((0.05, 0.1, 0.7, 0.15), 2, "match"),
        ((0.3, 0.25, 0.2, 0.25), 1, "uncertain"),  # the median, by too little
        ((0.3, 0.25, 0.2, 0.25), 0, "uncertain"),  # the likeliest one is not what is counted
        ((0.02, 0.1, 0.73, 0.15), 0, "mismatch"),
    ],
)
def test_the_verdict_compares_with_the_median(probabilities, expected, verdict):
    answer = make_answer(logits(*probabilities), model=MEDIAN)
    assert verify(answer, expected=expected, model=MEDIAN).verdict == verdict


def test_a_median_below_the_open_class_is_an_exact_count():
    model = dataclasses.replace(MEDIAN, open_top=True)
    answer = make_answer(logits(0.1, 0.1, 0.35, 0.45), model=model)
    assert (answer.count, answer.at_least) == (2, False)
    answer = make_answer(logits(0.1, 0.1, 0.2, 0.6), model=model)
    assert (answer.count, answer.at_least, answer.review) == (3, True, True)


def test_counts_are_the_model_s_not_the_columns():
    model = dataclasses.replace(MODEL, counts=(2, 3, 5, 8))
    answer = make_answer(logits(0.05, 0.05, 0.2, 0.7), model=model)
    assert (answer.count, answer.interval) == (8, (5, 8))
    assert answer.expected_value == pytest.approx(2 * 0.05 + 3 * 0.05 + 5 * 0.2 + 8 * 0.7)


@pytest.mark.parametrize(("threshold", "review"), [(0.59, False), (0.61, True), (None, True)])
def test_review_is_asked_below_the_threshold(threshold, review):
    model = dataclasses.replace(MODEL, confidence_below=threshold)
    assert make_answer(logits(0.1, 0.1, 0.2, 0.6), model=model).review is review


def test_the_open_top_class_always_asks_for_review():
    answer = make_answer(logits(0.001, 0.001, 0.001, 0.997), model=OPEN)
    assert (answer.count, answer.at_least, answer.review) == (3, True, True)


def test_other_classes_of_an_open_model_do_not():
    answer = make_answer(logits(0.001, 0.001, 0.997, 0.001), model=OPEN)
    assert (answer.count, answer.at_least, answer.review) == (2, False, False)


@pytest.mark.parametrize(
    ("probabilities", "expected", "verdict", "probability"),
    [
        ((0.02, 0.03, 0.15, 0.8), 3, "match", 0.8),
        ((0.02, 0.03, 0.15, 0.8), 2, "uncertain", 0.15),
        ((0.02, 0.03, 0.15, 0.8), 1, "mismatch", 0.03),
        ((0.02, 0.03, 0.15, 0.8), 4, "uncertain", 0.0),  # outside the classes, no open one
        ((0.1, 0.2, 0.2, 0.5), 3, "uncertain", 0.5),  # agrees, but asks for review
    ],
)
def test_the_verdict(probabilities, expected, verdict, probability):
    found = verify(make_answer(logits(*probabilities), model=MODEL), expected=expected, model=MODEL)
    assert (found.expected, found.verdict) == (expected, verdict)
    assert found.probability == pytest.approx(probability)


@pytest.mark.parametrize(
    ("counts", "open_top", "expected", "reason"),
    [
        ((1, 2, 3, 4), False, 0, "this model counts 1 to 4"),
        ((1, 2, 3, 4), False, 5, "this model counts 1 to 4"),
        ((1, 2, 3, 4), True, 0, "this model counts 1 to 4 or more"),
        ((1, 2, 5, 8), False, 3, "this model counts 1, 2, 5 and 8"),
        ((1, 2, 5, 8), True, 7, "this model counts 1, 2, 5 and 8 or more"),
    ],
)
def test_a_number_that_the_model_cannot_say_is_uncertain_with_the_reason(counts, open_top, expected, reason):
    """However sure the model is of another one: bins with 6 look to it like bins with 5."""
    model = dataclasses.replace(MODEL, counts=counts, open_top=open_top)
    found = verify(
        make_answer(logits(0.001, 0.001, 0.001, 0.997), model=model), expected=expected, model=model
    )
    assert (found.verdict, found.probability, found.reason) == ("uncertain", 0.0, reason)


def test_a_number_that_the_model_can_say_needs_no_reason():
    answer = make_answer(logits(0.1, 0.2, 0.2, 0.5), model=OPEN)
    assert [verify(answer, expected=n, model=OPEN).reason for n in (0, 3, 4, 99)] == [None] * 4


@pytest.mark.parametrize("expected", [3, 4, 1000])
def test_a_number_above_an_open_class_is_that_class_and_never_matches(expected):
    answer = make_answer(logits(0.02, 0.03, 0.15, 0.8), model=OPEN)
    found = verify(answer, expected=expected, model=OPEN)
    assert (found.verdict, found.probability) == ("uncertain", pytest.approx(0.8))


@pytest.mark.parametrize("model", [MODEL, OPEN, dataclasses.replace(MODEL, counts=(1, 2, 5, 8))])
@given(weights=st.lists(st.floats(0.001, 1), min_size=4, max_size=4), expected=st.integers(0, 999_999))
def test_a_verdict_that_is_looked_up_is_the_verdict_of_the_rule(model, weights, expected):
    answer = make_answer(logits(*(weight / sum(weights) for weight in weights)), model=model)
    table = verifications(answer, model=model)
    assert [each.expected for each in table] == list(range(model.counts[-1] + 2))
    found = table[min(expected, len(table) - 1)]
    asked = verify(answer, expected=expected, model=model)
    assert dataclasses.replace(found, expected=expected) == asked


def test_logits_that_are_no_numbers_are_an_error():
    with pytest.raises(ValueError, match="expected 4 finite logits"):
        make_answer(np.array([0, math.nan, 0, 0], dtype=np.float32), model=MODEL)


def test_logits_of_another_number_are_an_error():
    with pytest.raises(ValueError, match="expected 4 finite logits"):
        make_answer(np.zeros(5, dtype=np.float32), model=MODEL)
