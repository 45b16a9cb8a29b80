"""The answer of a custom resource to CloudFormation."""

import json
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

log = logging.getLogger()
log.setLevel(logging.INFO)


def answer(event: dict[str, Any], apply: Callable[[str, dict[str, Any]], None], *, physical_id: str) -> None:
    """Run `apply(request type, properties)` and report to CloudFormation how it went, whatever happened."""
    status, reason = "SUCCESS", ""
    try:
        apply(event["RequestType"], event["ResourceProperties"])
    except Exception as error:
        log.exception("%s of %s", event["RequestType"], physical_id)
        status, reason = "FAILED", f"{type(error).__name__}: {error}"
    _respond(event, status=status, physical_id=physical_id, reason=reason)


def _respond(event: dict[str, Any], *, status: str, physical_id: str, reason: str) -> None:
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        response.read()
