"""The event of an execution's change of status, and the metric at its end."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from embedded_cloud.stepfunctions.redrive import redrive_status

# An input or output that is longer is left out of the event (Step Functions' documentation of the event).
_MOST_BYTES = 248 * 1024
_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
PublishEvent = Callable[[dict[str, Any]], None]
RecordMetric = Callable[..., None]


class StatusEvents:
    """Called with an execution whose status has changed.

    `publish(entry)` takes an EventBridge entry, `record(namespace, name, value, unit, dimensions)` a metric's
    value. Synchronous executions of express machines publish nothing, as on AWS.
    """

    def __init__(self, *, publish: PublishEvent, record: RecordMetric) -> None:
        self._publish = publish
        self._record = record

    def __call__(self, execution: dict[str, Any]) -> None:
        """Publishes both."""
        if execution.get("sync"):
            return
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        status = execution["status"]
        name = _METRICS[status]
        if status == "RUNNING" and execution.get("redriveCount"):
            name = "ExecutionsRedriven"
        self._record("AWS/States", name, 1, "Count", dimensions)
        if status != "RUNNING":
            milliseconds = _milliseconds(execution["stopDate"]) - _milliseconds(execution["startDate"])
            self._record("AWS/States", "ExecutionTime", milliseconds, "Milliseconds", dimensions)
        self._publish(
            {
                "Source": "aws.states",
                "DetailType": "Step Functions Execution Status Change",
                "Detail": json.loads(json.dumps(detail_of(execution))),
                "Resources": [execution["executionArn"]],
            }
        )


def detail_of(execution: dict[str, Any]) -> dict[str, Any]:
    """The event's detail, as AWS's documentation shows it."""
    status = execution["status"]
    redrive, reason = redrive_status(execution)
    output = execution.get("output") if status == "SUCCEEDED" else None
    given, given_details = _limited(execution.get("input"))
    output, output_details = _limited(output)
    redriven = execution.get("redriveDate")
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": status,
        "startDate": _milliseconds(execution["startDate"]),
        "stopDate": _milliseconds(execution["stopDate"]) if execution.get("stopDate") else None,
        "input": given,
        "inputDetails": given_details,
        "output": output,
        "outputDetails": output_details,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": execution.get("redriveCount", 0),
        "redriveDate": _milliseconds(redriven) if redriven else None,
        "redriveStatus": redrive,
        "redriveStatusReason": reason,
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }


def _limited(text: str | None) -> tuple[str | None, dict[str, bool] | None]:
    if text is None:
        return None, None
    if len(text.encode()) > _MOST_BYTES:
        return None, {"included": False}
    return text, {"included": True}


def _milliseconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000)
