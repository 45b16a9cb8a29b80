"""The count that probabilities give, the interval around it, and the verdict on an expected one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bincount_core.answer import RULES, Rule, answered, column_of, interval, joining, verdict

weights = st.lists(st.floats(0.001, 1.0), min_size=1, max_size=25)


def shares(numbers: list[float]) -> list[float]:
    return [number / sum(numbers) for number in numbers]


@pytest.mark.parametrize(
    ("probabilities", "most_probable", "median"),
    [
        ([0.1, 0.2, 0.4, 0.2, 0.1], 2, 2),
        ([0.4, 0.15, 0.15, 0.3], 0, 1),
        ([0.3, 0.1, 0.15, 0.45], 3, 2),
        ([0.4, 0.02, 0.2, 0.38], 0, 2),
        ([0.5, 0.5], 0, 0),
        ([0.1, 0.4, 0.4, 0.1], 1, 1),
        ([0.1, 0.2, 0.2, 0.5], 3, 2),
        ([0.05, 0.15, 0.2, 0.1, 0.5], 4, 3),  # 0.5 of floats that add up to a little less
        ([1.0], 0, 0),
    ],
)
def test_the_answer_is_the_likeliest_count_or_the_one_at_one_half(
    probabilities: list[float], most_probable: int, median: int
) -> None:
    assert answered(np.array(probabilities), by="most_probable") == most_probable
    assert answered(np.array(probabilities), by="median") == median


@given(weights)
def test_no_answer_has_a_smaller_mean_error_than_the_median(numbers: list[float]) -> None:
    columns, probabilities = np.arange(len(numbers)), np.array(shares(numbers))
    errors = np.abs(columns[:, None] - columns[None]) @ probabilities
    assert errors[answered(probabilities, by="median")] <= errors.min() + 1e-6


@given(weights, st.sampled_from(RULES))
def test_many_images_are_answered_as_each_alone(numbers: list[float], by: Rule) -> None:
    rows = np.array([shares(numbers), shares(numbers[::-1])])
    assert answered(rows, by=by).tolist() == [int(answered(row, by=by)) for row in rows]


def test_the_more_probable_neighbour_joins_first_the_lower_one_in_a_tie() -> None:
    assert [column for column, _ in joining([0.1, 0.2, 0.4, 0.2, 0.1])] == [2, 1, 3, 0, 4]


def test_a_score_is_the_mass_of_the_range_before_the_class_joined() -> None:
    assert [round(score, 9) for _, score in joining([0.1, 0.2, 0.4, 0.25, 0.05])] == [
        0,
        0.4,
        0.65,
        0.85,
        0.95,
    ]


def test_with_a_quantile_of_zero_the_interval_is_the_count_alone() -> None:
    assert interval([0.2, 0.5, 0.3], score_quantile=0.0) == (1, 1)


@given(weights)
def test_a_quantile_of_one_holds_every_class(numbers: list[float]) -> None:
    """Sums of floats may end above 1; no class is lost for it."""
    assert interval(shares(numbers), score_quantile=1.0) == (0, len(numbers) - 1)


@given(weights, st.floats(0, 1), st.sampled_from(RULES))
def test_the_interval_is_the_classes_whose_score_is_within_the_quantile(
    numbers: list[float], quantile: float, by: Rule
) -> None:
    probabilities = shares(numbers)
    held = sorted(column for column, score in joining(probabilities, by=by) if score <= quantile)
    low, high = interval(probabilities, score_quantile=quantile, by=by)
    assert held == list(range(low, high + 1))


@given(weights, st.sampled_from(RULES))
def test_every_class_joins_once_with_scores_that_never_fall(numbers: list[float], by: Rule) -> None:
    columns, scores = zip(*joining(shares(numbers), by=by), strict=True)
    assert sorted(columns) == list(range(len(numbers)))
    assert list(scores) == sorted(scores) and scores[0] == 0.0 and scores[-1] <= 1.0


@pytest.mark.parametrize(
    ("probabilities", "quantile", "expected"),
    [
        ([0.1, 0.6, 0.2, 0.1], 0.5, (1, 1)),  # the first neighbour's score would be 0.6
        ([0.1, 0.6, 0.2, 0.1], 0.6, (1, 2)),  # 0.6 is within: the more probable neighbour joins, mass 0.8
        ([0.1, 0.6, 0.2, 0.1], 0.79, (1, 2)),
        ([0.1, 0.6, 0.2, 0.1], 0.8, (0, 2)),  # a tie between 0 and 3: the lower joins, mass 0.9
        ([0.1, 0.6, 0.2, 0.1], 0.9, (0, 3)),
        ([0.1, 0.6, 0.2, 0.1], 0.0, (1, 1)),
        ([0.1, 0.6, 0.2, 0.1], 1.0, (0, 3)),
        ([0.7, 0.0, 0.3], 0.7, (0, 2)),  # contiguous: what lies between joins first and adds no mass
        ([0.7, 0.0, 0.3], 0.69, (0, 0)),
        ([0.25, 0.25, 0.25, 0.25], 0.25, (0, 1)),
        ([1.0], 1.0, (0, 0)),
    ],
)
def test_the_interval_grows_by_the_more_probable_neighbour(probabilities, quantile, expected):
    assert interval(probabilities, score_quantile=quantile) == expected


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda values: sum(values) > 0),
    st.floats(0, 1),
    st.sampled_from(RULES),
)
def test_the_interval_holds_the_answer_and_grows_with_the_quantile(values, quantile, by):
    probabilities = [value / sum(values) for value in values]
    low, high = interval(probabilities, score_quantile=quantile, by=by)
    assert 0 <= low <= answered(np.array(probabilities), by=by) <= high < len(values)
    wider = interval(probabilities, score_quantile=1.0, by=by)
    assert wider == (0, len(values) - 1)


@pytest.mark.parametrize(
    ("count", "open_top", "column"),
    [(2, False, 1), (7, True, 2), (5, True, 2), (7, False, None), (3, True, None)],
)
def test_a_number_belongs_to_its_class_or_to_the_open_top_one(
    count: int, open_top: bool, column: int | None
) -> None:
    assert column_of(count, counts=(0, 2, 5), open_top=open_top) == column


@pytest.mark.parametrize(
    ("agrees", "review", "probability", "said"),
    [
        (True, False, 0.9, "match"),
        (True, True, 0.4, "uncertain"),
        (True, True, 0.01, "mismatch"),
        (False, False, 0.01, "mismatch"),
        (False, True, 0.01, "mismatch"),
        (False, False, 0.05, "uncertain"),
    ],
)
def test_the_verdict_on_an_expected_number(agrees: bool, review: bool, probability: float, said: str) -> None:
    assert verdict(agrees=agrees, review=review, probability=probability, mismatch_below=0.05) == said
