"""Metric math as CloudWatch defines it, over series with gaps."""

import pytest
from embedded_cloud.cloudwatch.metric_math import MathError, MetricMath, Series


def work_out(expression: str) -> Series:
    """Over two series of three minutes."""
    series: dict[str, Series] = {"errors": [1.0, None, 3.0], "calls": [10.0, 0.0, 4.0]}
    return MetricMath(series=series, periods=3, seconds=60)(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("errors / calls", [0.1, None, 0.75]),
        ("100 * errors / calls", [10.0, None, 75.0]),
        ("calls / 0", [None, None, None]),
        ("FILL(errors, 0)", [1.0, 0.0, 3.0]),
        ("FILL(errors, REPEAT)", [1.0, 1.0, 3.0]),
        ("FILL(errors, 0) + calls", [11.0, 0.0, 7.0]),
        ("IF(calls > 4, FILL(errors, 0) / calls, 0)", [0.1, 0.0, 0.0]),
        ("IF(calls >= 4 AND errors > 1, 1, 0)", [0.0, None, 1.0]),
        ("SUM(METRICS())", [11.0, 0.0, 7.0]),
        ("SUM([errors, calls])", [11.0, 0.0, 7.0]),
        ("MAX(FILL(METRICS(), 0))", [10.0, 0.0, 4.0]),
        ("SUM(errors)", [4.0, 4.0, 4.0]),
        ("AVG(calls) * 0 + PERIOD(calls)", [60.0, 60.0, 60.0]),
        ("-errors", [-1.0, None, -3.0]),
        ("DIFF(calls)", [None, -10.0, 4.0]),
        ("2 ^ 3", [8.0, 8.0, 8.0]),
    ],
)
def test_expressions(expression: str, expected: Series):
    assert work_out(expression) == pytest.approx(expected)


@pytest.mark.parametrize("expression", ["errors +", "nobody", "METRICS()", "SEARCH('x')", "__import__('os')"])
def test_what_has_no_meaning_is_an_error(expression: str):
    with pytest.raises(MathError):
        work_out(expression)
