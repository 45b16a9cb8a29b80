"""Puts this folder into ministack's CloudWatch."""

from collections.abc import Callable
from typing import Any

from embedded_cloud.cloudwatch.alarms import Alarms, PublishEvent
from embedded_cloud.cloudwatch.embedded_metrics import extract
from embedded_cloud.cloudwatch.gauges import Gauges, Variants
from embedded_cloud.cloudwatch.recording import evict_old, record, record_at
from embedded_cloud.ministack_hooks.parts import cloudwatch, logs, provisioners

_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def install(*, publish: PublishEvent, variants: Variants) -> Alarms:
    """Once in a process; the alarms are evaluated from now on, to be closed at the end.

    `variants()` yields name, variant and number of instances of every endpoint that serves.
    """
    alarms = Alarms(publish=publish, gauges=Gauges(record=record, variants=variants))
    cloudwatch._evict_old_metrics = evict_old
    # Both are called as soon as a metric or an alarm comes; here a timer does it.
    cloudwatch._evaluate_alarm = _nothing
    cloudwatch._evaluate_all_alarms = _nothing
    cloudwatch._dispatch_alarm_actions = alarms.with_event(cloudwatch._dispatch_alarm_actions)
    cloudwatch._put_metric_alarm = _with_math(cloudwatch._put_metric_alarm)
    provisioners._cw_metric_alarm_record = _template_with_math(provisioners._cw_metric_alarm_record)
    logs._put_log_events = _with_metrics(logs._put_log_events)
    alarms.start()
    return alarms


def _nothing(*_: Any) -> None:
    pass


def _with_math(put: Callable[..., Any]) -> Callable[..., Any]:
    """PutMetricAlarm, whose `Metrics` ministack forgets."""

    def run(params: Any, cbor_data: Any, is_cbor: Any, is_json: Any = False) -> Any:
        answer = put(params, cbor_data, is_cbor, is_json)
        request: dict[str, Any] = cbor_data or {}
        if answer[0] == 200 and request.get("Metrics"):
            _keep_math(cloudwatch._alarms[request["AlarmName"]], request["Metrics"])
        return answer

    return run


def _template_with_math(record_of: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An alarm of a template, whose `Metrics` ministack refuses."""

    def run(name: str, props: dict[str, Any]) -> dict[str, Any]:
        if not props.get("Metrics"):
            return record_of(name, props)
        alarm = record_of(name, {**props, "Metrics": None, "MetricName": "-", "Namespace": "-"})
        _keep_math(alarm, [_in_numbers(metric) for metric in props["Metrics"]])
        return alarm

    return run


def _keep_math(alarm: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
    for member in _OF_ONE_METRIC:
        alarm.pop(member, None)
    alarm["Metrics"] = metrics


def _in_numbers(metric: dict[str, Any]) -> dict[str, Any]:
    """A template's metric with its period as a number and its flag as one."""
    found = dict(metric)
    if "ReturnData" in found:
        found["ReturnData"] = str(found["ReturnData"]).lower() == "true"
    if found.get("MetricStat"):
        found["MetricStat"] = {**found["MetricStat"], "Period": int(found["MetricStat"]["Period"])}
    return found


def _with_metrics(put: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """PutLogEvents; metrics in the lines are taken out."""

    def run(data: dict[str, Any]) -> Any:
        answer = put(data)
        if answer[0] == 200:
            for event in data.get("logEvents", []):
                extract(event.get("message", ""), record_at)
        return answer

    return run
