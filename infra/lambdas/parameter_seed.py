"""Custom resource: creates an SSM parameter once and never writes to it again.

`AWS::SSM::Parameter` would put the template's value back at any update of the resource (a changed tag is
enough) and with it unapprove the model that serves.
"""

import json
import logging
import urllib.request
from typing import Any

import boto3

log = logging.getLogger()
log.setLevel(logging.INFO)


def handler(event: dict[str, Any], context: Any) -> None:
    """Answers CloudFormation's Create, Update and Delete; every failure reaches the stack's events."""
    name = event["ResourceProperties"]["Name"]
    try:
        _apply(event["RequestType"], name, event["ResourceProperties"]["Value"])
        _respond(event, status="SUCCESS", physical_id=name)
    except Exception as error:
        log.exception("parameter %s", name)
        # The physical id must not change, or CloudFormation would delete the parameter of the former id.
        physical_id = event.get("PhysicalResourceId", name)
        _respond(event, status="FAILED", physical_id=physical_id, reason=f"{type(error).__name__}: {error}")


def _apply(request: str, name: str, value: str) -> None:
    ssm = boto3.client("ssm")
    if request == "Delete":
        ssm.delete_parameters(Names=[name])  # unlike delete_parameter, no error where there is none
        return
    try:
        ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=False)
    except ssm.exceptions.ParameterAlreadyExists:
        log.info("parameter %s exists and stays as it is", name)


def _respond(event: dict[str, Any], *, status: str, physical_id: str, reason: str = "") -> None:
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        response.read()
