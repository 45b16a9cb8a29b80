"""The event "CloudWatch Alarm State Change", and the data behind an alarm's state."""

import json
from datetime import UTC, datetime
from typing import Any

from embedded_cloud.cloudwatch.alarm_state import Rule
from embedded_cloud.cloudwatch.metric_math import Series
from embedded_cloud.cloudwatch.series import dimensions_of, metrics_of


def reason_data(
    alarm: dict[str, Any], *, rule: Rule, points: Series, starts: list[float], now: float, period: int
) -> str:
    """StateReasonData: the values that were evaluated."""
    evaluated = [(s, p) for s, p in zip(starts, points, strict=True) if p is not None]
    evaluated = evaluated[-rule.evaluation_periods :]
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    data = {
        "version": "1.0",
        "queryDate": _stamp(now),
        "startDate": _stamp(evaluated[0][0]) if evaluated else None,
        "statistic": statistic,
        "period": period,
        "recentDatapoints": [value for _, value in evaluated],
        "threshold": rule.threshold,
        "evaluatedDatapoints": [
            {"timestamp": _stamp(start), "value": value} for start, value in reversed(evaluated)
        ],
    }
    return json.dumps({key: value for key, value in data.items() if value is not None})


def state_change(
    alarm: dict[str, Any], *, previous: dict[str, Any], reason: str, state: str, now: float
) -> dict[str, Any]:
    """The EventBridge entry of a change; `previous` holds value, reason, reasonData and timestamp."""
    described = {"value": state, "reason": reason, "timestamp": _stamp(now)}
    if alarm.get("StateReasonData"):
        described["reasonData"] = alarm["StateReasonData"]
    return {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [alarm["AlarmArn"]],
        "Detail": {
            "alarmName": alarm["AlarmName"],
            "state": described,
            "previousState": previous,
            "configuration": _configuration(alarm),
        },
    }


def previous_state(alarm: dict[str, Any]) -> dict[str, Any]:
    """What the alarm's state was, kept before it changes."""
    state = {
        "value": alarm["StateValue"],
        "reason": alarm.get("StateReason", ""),
        "timestamp": _stamp(alarm.get("StateUpdatedTimestamp") or 0),
    }
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    return state


def _configuration(alarm: dict[str, Any]) -> dict[str, Any]:
    if "AlarmRule" in alarm:
        return {"alarmRule": alarm["AlarmRule"]}
    metrics: list[dict[str, Any]] = []
    for query in metrics_of(alarm):
        entry: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
        if query.get("MetricStat"):
            stat = query["MetricStat"]
            metric = stat["Metric"]
            entry["metricStat"] = {
                "metric": {
                    "namespace": metric["Namespace"],
                    "name": metric["MetricName"],
                    "dimensions": dimensions_of(metric),
                },
                "period": stat["Period"],
                "stat": stat["Stat"],
            }
        else:
            entry["expression"] = query["Expression"]
        metrics.append(entry)
    return {"description": alarm.get("AlarmDescription", ""), "metrics": metrics}


def _stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
