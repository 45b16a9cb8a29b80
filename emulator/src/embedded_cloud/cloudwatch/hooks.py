"""What of ministack's CloudWatch is used or replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Hook

_WATCH = "ministack.services.cloudwatch"
_LOGS = "ministack.services.cloudwatch_logs"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_REQUEST = ("params", "cbor_data", "is_cbor", "is_json")

REPLACED = (
    Hook(
        module=_WATCH, name="_evaluate_alarm", parameters=("alarm",), reason="alarms are evaluated over time"
    ),
    Hook(module=_WATCH, name="_evict_old_metrics", parameters=(), reason="loses nothing of other threads"),
    Hook(module=_WATCH, name="_evaluate_all_alarms", parameters=(), reason="the same"),
    Hook(module=_WATCH, name="_put_metric_alarm", parameters=_REQUEST, reason="metric math is kept"),
    Hook(
        module=_WATCH,
        name="_dispatch_alarm_actions",
        parameters=("alarm", "old_state", "new_state", "reason"),
        reason="an event of each change of an alarm",
    ),
    Hook(module=_LOGS, name="_put_log_events", parameters=("data",), reason="metrics in log lines"),
    Hook(
        module=_PROVISIONERS,
        name="_cw_metric_alarm_record",
        parameters=("name", "props"),
        reason="metric math in templates",
    ),
)
USED = (
    Hook(module="ministack.services.sqs", name="_queues", reason="how many messages wait"),
    Hook(module=_WATCH, name="TWO_WEEKS_SECONDS", reason="how long a metric is kept"),
    Hook(module=_WATCH, name="_alarms", reason="the alarms"),
    Hook(module=_WATCH, name="_metrics", reason="the metrics"),
    Hook(module=_WATCH, name="_metric_bucket", parameters=("key",), reason="writes a metric"),
    Hook(module=_WATCH, name="_dims_key", parameters=("dims",), reason="finds a metric"),
    Hook(module=_WATCH, name="_calc_stats", parameters=("points",), reason="statistics"),
    Hook(module=_WATCH, name="_stat_value", parameters=("stats", "stat_name", "points"), reason="statistics"),
    Hook(
        module=_WATCH,
        name="_record_history",
        parameters=("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data"),
        reason="history of alarms",
    ),
    Hook(module=_WATCH, name="_evaluate_parent_alarms", parameters=None, reason="composite alarms"),
)
