"""Exact intervals against a published table and scipy; estimates from labels that people chose."""

import importlib
import random
from typing import Any

import pytest

from monitoring.live.estimate import Moments, Stratum, root_mean_square, share
from monitoring.live.promise import broken
from monitoring.live.proportion import clopper_pearson
from monitoring.live.tally import error_of, is_covered


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 5.
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_bounds_are_those_of_the_published_tables(hits: int, of: int, low: float, high: float):
    assert clopper_pearson(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_bounds_are_scipys_from_one_to_a_million():
    beta: Any = importlib.import_module("scipy.stats").beta
    draw = random.Random(7)
    for _ in range(60):
        of = draw.choice((1, 2, 17, 400, 10_000, 1_000_000))
        hits = draw.choice((0, of, draw.randint(0, of)))
        low = beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0
        high = beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0
        assert clopper_pearson(hits, of) == pytest.approx((low, high), abs=1e-11)


def test_more_hits_than_trials_are_refused():
    with pytest.raises(ValueError, match="3 of 2"):
        clopper_pearson(3, 2)


def test_doubtful_answers_that_were_all_looked_at_do_not_weigh_more():
    doubtful = Stratum(answers=10, labels=10, hits=0)
    sure = Stratum(answers=90, labels=9, hits=9)
    figure = share([doubtful, sure])
    assert figure.value == pytest.approx(0.9)
    assert figure.labels == 19
    assert figure.low is not None and figure.low < 0.9 <= (figure.high or 0)


def test_a_stratum_without_a_label_may_be_anything():
    figure = share([Stratum(answers=50, labels=20, hits=20), Stratum(answers=50, labels=0, hits=0)])
    assert figure.value is None
    assert figure.high == 1.0
    assert figure.low is not None and 0.4 < figure.low < 0.5


def test_no_label_says_nothing():
    assert share([Stratum(answers=5, labels=0, hits=0)]).to_json() == {
        "value": None,
        "low": None,
        "high": None,
        "labels": 0,
    }


def test_the_interval_holds_the_truth_where_people_look_at_doubts():
    """People label half of the doubtful, few of the others: at most 1 of 20 intervals misses the truth."""
    draw, missed = random.Random(3), 0
    for _ in range(200):
        strata: list[Stratum] = []
        for answers, labelled, right in ((400, 0.5, 0.3), (1600, 0.03, 0.8)):
            labels = sum(draw.random() < labelled for _ in range(answers))
            hits = sum(draw.random() < right for _ in range(labels))
            strata.append(Stratum(answers=answers, labels=labels, hits=hits))
        figure = share(strata)
        assert figure.low is not None and figure.high is not None
        missed += not figure.low <= 0.7 <= figure.high
    assert missed <= 10


def test_rmse_weighs_strata_alike():
    figure = root_mean_square(
        [
            Moments(answers=10, labels=10, squares=90, fourths=810),
            Moments(answers=90, labels=9, squares=0, fourths=0),
        ]
    )
    assert figure.value == pytest.approx(0.9**0.5)
    assert figure.low == figure.high == figure.value  # all errors of a stratum are alike


@pytest.mark.parametrize(
    ("at_least", "label", "error", "covered"),
    [(False, 5, 0, True), (True, 8, 0, True), (True, 3, 2, False), (False, 8, -3, False)],
)
def test_an_open_top_is_right_for_all_larger_numbers(at_least: bool, label: int, error: int, covered: bool):
    answer = {"count": 5, "at_least": at_least, "interval": [4, 5]}
    assert (error_of(answer, label), is_covered(answer, label)) == (error, covered)


def test_a_promise_is_broken_only_beyond_chance():
    def figure(low: float | None, high: float | None) -> dict[str, float | None]:
        return {"low": low, "high": high}

    figures = {"accuracy": figure(0.2, 0.39), "rmse": figure(1.3, 1.5), "within_one": figure(None, None)}
    floors = {"min_accuracy": 0.4, "max_rmse": 1.2, "min_within_one": 0.8}
    assert broken(figures, floors) == ["rmse", "accuracy"]
    assert broken(figures, {"min_accuracy": 0.38, "max_rmse": 1.31}) == []
