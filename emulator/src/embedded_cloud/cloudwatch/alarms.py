"""Evaluates every alarm: each minute as AWS, and within a second of new data of its metrics.

An alarm that a person set by SetAlarmState keeps that state until then, too.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_cloud.cloudwatch.alarm_state import Rule, Verdict, decide, is_known
from embedded_cloud.cloudwatch.gauges import Gauges
from embedded_cloud.cloudwatch.metric_math import MathError
from embedded_cloud.cloudwatch.series import end_of_last_period, period_of, points_of, series_of
from embedded_cloud.cloudwatch.state_event import previous_state, reason_data, state_change
from embedded_cloud.ministack_hooks.parts import cloudwatch

_LOG = logging.getLogger("embedded_cloud.alarms")
_SECONDS = 1.0
PublishEvent = Callable[[dict[str, Any]], None]


class Alarms:
    """Runs in a thread of its own until `close`. `publish(entry)` takes an EventBridge entry; `gauges` are
    read each time before.
    """

    def __init__(self, *, publish: PublishEvent, gauges: Gauges) -> None:
        self._publish = publish
        self._gauges = gauges
        self._previous: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def start(self) -> None:
        """Begins to evaluate."""
        self._thread.start()

    def close(self) -> None:
        """Ends."""
        self._closed.set()

    def evaluate(self, *, now: float) -> None:
        """Every alarm whose minute, data or configuration is another than when it was last looked at."""
        for alarm in list(cloudwatch._alarms.values()):
            try:
                changed = self._changed(alarm, now)
                if changed:
                    self.evaluate_one(alarm, now=now)
            except MathError as error:
                _LOG.warning("alarm %s: %s", alarm["AlarmName"], error)
            except Exception:
                _LOG.exception("alarm %s", alarm.get("AlarmName"))

    def evaluate_one(self, alarm: dict[str, Any], *, now: float) -> None:
        """Gives an alarm the state that its data give. Raises MathError."""
        if not is_known(str(alarm.get("ComparisonOperator"))):
            return
        periods = int(alarm.get("EvaluationPeriods") or 1)
        rule = Rule(
            comparison=alarm["ComparisonOperator"],
            threshold=float(alarm["Threshold"]),
            evaluation_periods=periods,
            datapoints_to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
            treat_missing=alarm.get("TreatMissingData") or "missing",
        )
        points, starts = series_of(alarm, end=end_of_last_period(alarm, now=now))
        verdict = decide(points, rule)
        if verdict.state and verdict.state != alarm["StateValue"]:
            period = period_of(alarm)
            data = reason_data(alarm, rule=rule, points=points, starts=starts, now=now, period=period)
            self._change(alarm, verdict, data, now)

    def with_event(self, act: Callable[..., None]) -> Callable[..., None]:
        """ministack's `_dispatch_alarm_actions`, where every change of any alarm ends, with the event too."""

        def run(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
            previous = self._previous.pop(alarm["AlarmArn"], {"value": old_state})
            self._publish(
                state_change(alarm, previous=previous, reason=reason, state=new_state, now=time.time())
            )
            act(alarm, old_state, new_state, reason)

        return run

    def _change(self, alarm: dict[str, Any], verdict: Verdict, data: str, now: float) -> None:
        previous, old = previous_state(alarm), alarm["StateValue"]
        alarm.update(
            StateValue=verdict.state,
            StateReason=verdict.reason,
            StateReasonData=data,
            StateUpdatedTimestamp=now,
            StateTransitionedTimestamp=now,
        )
        _LOG.info("%s: %s -> %s: %s", alarm["AlarmName"], old, verdict.state, verdict.reason)
        cloudwatch._record_history(alarm["AlarmName"], old, verdict.state, verdict.reason)
        self._previous[alarm["AlarmArn"]] = previous
        cloudwatch._dispatch_alarm_actions(alarm, old, verdict.state, verdict.reason)
        cloudwatch._evaluate_parent_alarms(alarm)

    def _changed(self, alarm: dict[str, Any], now: float) -> bool:
        points = points_of(alarm)
        configured = alarm.get("AlarmConfigurationUpdatedTimestamp")
        seen = (math.floor(now / 60), len(points), points[-1]["Timestamp"] if points else None, configured)
        before = self._seen.get(alarm["AlarmArn"])
        self._seen[alarm["AlarmArn"]] = seen
        return seen != before

    def _run(self) -> None:
        while not self._closed.wait(_SECONDS):
            now = time.time()
            try:
                self._gauges.read(now)
            except Exception:
                _LOG.exception("gauges")
            self.evaluate(now=now)
