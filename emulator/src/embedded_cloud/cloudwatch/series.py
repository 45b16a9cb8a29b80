"""The values of a metric over the last periods, as an alarm sees them."""

import math
from collections.abc import Sequence
from typing import Any

from embedded_cloud.cloudwatch.alarm_state import EXTRA_PERIODS
from embedded_cloud.cloudwatch.metric_math import MetricMath, Series
from embedded_cloud.ministack_hooks.parts import cloudwatch

_MINUTE = 60  # seconds; what is published without a storage resolution is kept by the minute


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The alarm's metrics as a MetricDataQueries list, also where it has one metric of its own."""
    if alarm.get("Metrics"):
        return alarm["Metrics"]
    metric: dict[str, Any] = {
        "Namespace": alarm.get("Namespace"),
        "MetricName": alarm.get("MetricName"),
        "Dimensions": alarm.get("Dimensions") or [],
    }
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    stat: dict[str, Any] = {
        "Metric": metric,
        "Period": period_of(alarm),
        "Stat": statistic,
        "Unit": alarm.get("Unit"),
    }
    return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]


def period_of(alarm: dict[str, Any]) -> int:
    """Seconds of a period; of several metrics the longest."""
    metrics: list[dict[str, Any]] = alarm.get("Metrics") or []
    periods = [int(m["MetricStat"]["Period"]) for m in metrics if m.get("MetricStat")]
    return max(periods) if periods else int(alarm.get("Period") or _MINUTE)


def points_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Every point that is kept of the alarm's metrics: of exactly these dimensions."""
    return [
        point
        for metric in metrics_of(alarm)
        if metric.get("MetricStat")
        for point in _stored(metric["MetricStat"])
    ]


def end_of_last_period(alarm: dict[str, Any], *, now: float) -> float:
    """Where the newest period ends: at the last full minute, as on AWS.

    What rises above a threshold is also seen in the minute that has begun: its data can only confirm that.
    A value below one is known only once the minute is over.
    """
    step = min(_MINUTE, period_of(alarm))
    end = math.floor(now / step) * step
    if str(alarm.get("ComparisonOperator")).startswith("Greater"):
        begun = any(point["Timestamp"] >= end for point in points_of(alarm))
        end += step if begun else 0
    return end


def series_of(alarm: dict[str, Any], *, end: float) -> tuple[Series, list[float]]:
    """The values that the alarm evaluates, oldest first, and when each period begins. Raises MathError."""
    seconds = period_of(alarm)
    count = int(alarm.get("EvaluationPeriods") or 1) + EXTRA_PERIODS
    starts = [end - seconds * (count - index) for index in range(count)]
    found: dict[str, Series] = {}
    metrics = metrics_of(alarm)
    for metric in metrics:
        if metric.get("MetricStat"):
            found[metric["Id"]] = _values(metric["MetricStat"], starts, seconds)
    work_out = MetricMath(series=found, periods=count, seconds=seconds)
    returned = next((m for m in metrics if m.get("ReturnData", True)), metrics[0])
    if "Expression" in returned:
        for metric in metrics:  # an expression may use the ids of other expressions
            if metric.get("Expression") and metric is not returned:
                found[metric["Id"]] = work_out(metric["Expression"])
        return work_out(returned["Expression"]), starts
    return found[returned["Id"]], starts


def dimensions_of(metric: dict[str, Any]) -> dict[str, str]:
    """A metric's dimensions by name."""
    given: list[dict[str, str]] = metric.get("Dimensions") or []
    return {dimension["Name"]: dimension["Value"] for dimension in given}


def _stored(stat: dict[str, Any]) -> Sequence[dict[str, Any]]:
    metric = stat["Metric"]
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions_of(metric)))
    points: list[dict[str, Any]] = list(cloudwatch._metrics.get(key) or [])
    unit = stat.get("Unit")
    return [point for point in points if point.get("Unit") == unit] if unit else points


def _values(stat: dict[str, Any], starts: list[float], seconds: int) -> Series:
    points = _stored(stat)
    step = min(_MINUTE, seconds)
    values: Series = []
    for start in starts:
        inside = [p for p in points if start <= math.floor(p["Timestamp"] / step) * step < start + seconds]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), stat["Stat"], inside)
        values.append(float(value) if inside and value is not None else None)
    return values
