"""What of ministack's CloudWatch is used or replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Module

_WATCH = Module("ministack.services.cloudwatch")
_LOGS = Module("ministack.services.cloudwatch_logs")
_PROVISIONERS = Module("ministack.services.cloudformation.provisioners")
_REQUEST = ("params", "cbor_data", "is_cbor", "is_json")
_SQS = Module("ministack.services.sqs")

REPLACED = (
    _WATCH.function("_evaluate_alarm", ("alarm",), reason="alarms are evaluated over time"),
    _WATCH.function("_evict_old_metrics", (), reason="loses nothing of other threads"),
    _WATCH.function("_evaluate_all_alarms", (), reason="the same"),
    _WATCH.function("_put_metric_alarm", _REQUEST, reason="metric math is kept"),
    _WATCH.function(
        "_dispatch_alarm_actions",
        ("alarm", "old_state", "new_state", "reason"),
        reason="an event of each change of an alarm",
    ),
    _LOGS.function("_put_log_events", ("data",), reason="metrics in log lines"),
    _PROVISIONERS.function("_cw_metric_alarm_record", ("name", "props"), reason="metric math in templates"),
)
USED = (
    _SQS.value("_queues", reason="how many messages wait"),
    _WATCH.value("TWO_WEEKS_SECONDS", reason="how long a metric is kept"),
    _WATCH.value("_alarms", reason="the alarms"),
    _WATCH.value("_metrics", reason="the metrics"),
    _WATCH.function("_metric_bucket", ("key",), reason="writes a metric"),
    _WATCH.function("_dims_key", ("dims",), reason="finds a metric"),
    _WATCH.function("_calc_stats", ("points",), reason="statistics"),
    _WATCH.function("_stat_value", ("stats", "stat_name", "points"), reason="statistics"),
    _WATCH.function(
        "_record_history",
        ("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data"),
        reason="history of alarms",
    ),
    _WATCH.value("_evaluate_parent_alarms", reason="composite alarms"),
)
