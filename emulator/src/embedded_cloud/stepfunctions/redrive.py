"""RedriveExecution: whether an execution may continue, and from where."""

import time
from datetime import datetime
from typing import Any

from embedded_cloud.errors import AwsError

ENDED_BADLY = ("FAILED", "ABORTED", "TIMED_OUT")
_DAYS = 14  # the API reference: within fourteen days of its end
_MOST = 1000  # redrives of one execution, the same


def redrive_status(execution: dict[str, Any], *, now: float | None = None) -> tuple[str, str | None]:
    """`redriveStatus` and, where it is not REDRIVABLE, `redriveStatusReason` of DescribeExecution."""
    status = execution["status"]
    if status not in ENDED_BADLY:
        return "NOT_REDRIVABLE", f"Execution is {status} and cannot be redriven"
    if execution.get("mapRunArn"):
        return "REDRIVABLE_BY_MAP_RUN", "Execution can only be redriven through its Map Run"
    if (now or time.time()) - _seconds(execution["stopDate"]) > _DAYS * 86_400:
        return "NOT_REDRIVABLE", "Execution redrivable period exceeded"
    if execution.get("redriveCount", 0) >= _MOST:
        return "NOT_REDRIVABLE", "Execution redrive limit exceeded"
    return "REDRIVABLE", None


def redrive_members(execution: dict[str, Any]) -> dict[str, Any]:
    """What DescribeExecution says of redrives."""
    status, reason = redrive_status(execution)
    members = {
        "redriveCount": execution.get("redriveCount", 0),
        "redriveDate": execution.get("redriveDate"),
        "redriveStatus": status,
        "redriveStatusReason": reason,
    }
    return {name: value for name, value in members.items() if value is not None}


def check_redrivable(execution: dict[str, Any] | None, arn: str) -> dict[str, Any]:
    """The execution, or raises what AWS answers where it cannot be redriven."""
    if execution is None:
        raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    status, reason = redrive_status(execution)
    if status != "REDRIVABLE":
        raise AwsError("ExecutionNotRedrivable", f"{reason}: '{arn}'")
    return execution


def _seconds(stamp: str | float) -> float:
    if isinstance(stamp, int | float):
        return float(stamp)
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
