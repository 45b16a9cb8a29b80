"""The tables of AWS's page on missing data, row by row, and the bounds of each comparison."""

import pytest
from embedded_cloud.cloudwatch.alarm_state import Rule, decide

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
RETAINED = None


def points_of(row: str) -> list[float | None]:
    """`0 - X`: a point that does not break the threshold of 5, none, and one that does."""
    return [{"0": 1.0, "X": 9.0, "-": None}[sign] for sign in row.split()]


def rule(*, of: int = 3, needed: int = 3, treat: str = "missing", comparison: str = "GreaterThanThreshold"):
    """An alarm over five."""
    return Rule(
        comparison=comparison,
        threshold=5,
        evaluation_periods=of,
        datapoints_to_alarm=needed,
        treat_missing=treat,
    )


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("0 - X - X", ("OK", "OK", "OK", "OK")),
        ("0 - - - -", ("OK", "OK", "OK", "OK")),
        ("- - - - -", ("INSUFFICIENT_DATA", RETAINED, "ALARM", "OK")),
        ("0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("- - X - -", ("ALARM", RETAINED, "ALARM", "OK")),
    ],
)
def test_three_of_three(row: str, states: tuple[str | None, ...]):
    found = tuple(decide(points_of(row), rule(treat=treat)).state for treat in TREATMENTS)
    assert found == states


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 - X - -", ("OK", "OK", "ALARM", "OK")),
        ("- - - - 0", ("OK", "OK", "ALARM", "OK")),
        ("- - - X -", ("ALARM", RETAINED, "ALARM", "OK")),
    ],
)
def test_two_of_three(row: str, states: tuple[str | None, ...]):
    found = tuple(decide(points_of(row), rule(needed=2, treat=treat)).state for treat in TREATMENTS)
    assert found == states


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanThreshold", ("OK", "OK", "ALARM")),
        ("GreaterThanOrEqualToThreshold", ("OK", "ALARM", "ALARM")),
        ("LessThanThreshold", ("ALARM", "OK", "OK")),
        ("LessThanOrEqualToThreshold", ("ALARM", "ALARM", "OK")),
    ],
)
def test_each_comparison_at_its_bound(comparison: str, states: tuple[str, ...]):
    one = rule(of=1, needed=1, comparison=comparison)
    assert tuple(decide([None, None, value], one).state for value in (4.9, 5.0, 5.1)) == states


def test_a_reason_as_aws_words_it():
    assert decide([None, None, 9.0], rule(of=1, needed=1)).reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [9.0] was greater than the threshold (5.0) "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
    quiet = decide([None] * 3, rule(of=1, needed=1, treat="notBreaching"))
    assert quiet.reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )
