"""One event on its way to one target: attempts, metrics, and the dead-letter queue at the end."""

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded_cloud.eventbridge.failure import Failure, begin

_LOG = logging.getLogger("embedded_cloud.events")
_ATTEMPTS = 185  # EventBridge's default MaximumRetryAttempts
_AGE_SECONDS = 86_400  # … and MaximumEventAgeInSeconds
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds; EventBridge does not publish its own
Invoke = Callable[..., None]
RecordMetric = Callable[..., None]
SendDead = Callable[[str, str, dict[str, str]], None]
CheckRight = Callable[[dict[str, Any]], Failure | None]
EventOf = Callable[[Any, Any], dict[str, Any]]


@dataclass(kw_only=True)
class Delivery:
    """Replaces ministack's `_invoke_target(target, event, rule, view)`.

    `invoke` makes one attempt and reports its failure; `check(target)` says whether the target's role may;
    `send(queue_arn, body, attributes)` puts a message into a dead-letter queue and raises where it cannot;
    `rule_arn(rule)` names a rule; `event_of(event, view)` is the event as a target would get it;
    `record(namespace, name, value, unit, dimensions)` takes a metric's value.
    """

    invoke: Invoke
    check: CheckRight
    send: SendDead
    record: RecordMetric
    rule_arn: Callable[[dict[str, Any]], str]
    event_of: EventOf
    first_pause: float = _FIRST_PAUSE

    def __call__(self, target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None) -> None:
        """The first attempt in this thread; what comes after it in one of its own."""
        self._count(rule, "TriggeredRules")
        failure = self._attempt(target, event, rule, view)
        if failure is None:
            return
        context = contextvars.copy_context()
        work = (context.run, self._go_on, failure, target, event, rule, view)
        threading.Thread(target=work[0], args=work[1:], name="event-delivery", daemon=True).start()

    def _attempt(self, target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any) -> Failure | None:
        self._count(rule, "InvocationAttempts")
        failure = self.check(target)
        if failure is None:
            failures = begin()
            try:
                self.invoke(target, event, rule, view)
            except Exception as error:
                _LOG.exception("event to %s", target.get("Arn"))
                failures.append(Failure(code="INTERNAL_ERROR", message=str(error), retryable=True))
            failure = failures[0] if failures else None
        if failure is None:
            self._count(rule, "Invocations")
        return failure

    def _go_on(
        self, failure: Failure, target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any
    ) -> None:
        policy: dict[str, Any] = target.get("RetryPolicy") or {}
        most = int(policy.get("MaximumRetryAttempts", _ATTEMPTS))
        deadline = time.monotonic() + int(policy.get("MaximumEventAgeInSeconds", _AGE_SECONDS))
        attempts, pause, exhausted = 0, self.first_pause, None
        while failure.retryable:
            if attempts >= most:
                exhausted = "MaximumRetryAttempts"
                break
            if time.monotonic() + pause > deadline:
                exhausted = "MaximumEventAgeInSeconds"
                break
            time.sleep(pause)
            attempts, pause = attempts + 1, min(pause * 2, _LONGEST_PAUSE)
            self._count(rule, "RetryInvocationAttempts")
            again = self._attempt(target, event, rule, view)
            if again is None:
                return
            failure = again
        self._give_up(failure, target, rule, self.event_of(event, view), attempts, exhausted)

    def _give_up(
        self,
        failure: Failure,
        target: dict[str, Any],
        rule: dict[str, Any],
        event: dict[str, Any],
        attempts: int,
        exhausted: str | None,
    ) -> None:
        _LOG.warning("event of %s to %s: %s", rule.get("Name"), target.get("Arn"), failure)
        self._count(rule, "FailedInvocations")
        dead: dict[str, str] = target.get("DeadLetterConfig") or {}
        queue = dead.get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": self.rule_arn(rule),
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": failure.message,
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        if attempts:
            attributes["RETRY_ATTEMPTS"] = str(attempts)
        try:
            self.send(queue, json.dumps(event), attributes)
        except Exception:
            _LOG.exception("event to the dead-letter queue %s", queue)
            self._count(rule, "InvocationsFailedToBeSentToDlq")
        else:
            self._count(rule, "InvocationsSentToDlq")

    def _count(self, rule: dict[str, Any], name: str) -> None:
        self.record("AWS/Events", name, 1, "Count", {"RuleName": rule.get("Name", "")})
