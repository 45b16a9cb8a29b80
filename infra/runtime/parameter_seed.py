"""Custom resource: creates an SSM parameter once and never writes to it again.

`AWS::SSM::Parameter` would put the template's value back at any update of the resource (a changed tag is
enough) and with it unapprove the model that serves.
"""

from typing import Any

import boto3
from custom_resource import answer, log


def handler(event: dict[str, Any], context: object) -> None:
    """Answers CloudFormation's Create, Update and Delete; every failure reaches the stack's events."""
    answer(event, _apply, physical_id=event["ResourceProperties"]["Name"])


def _apply(request: str, properties: dict[str, Any]) -> None:
    ssm = boto3.client("ssm")
    name = properties["Name"]
    if request == "Delete":
        ssm.delete_parameters(Names=[name])  # unlike delete_parameter, no error where there is none
        return
    try:
        ssm.put_parameter(Name=name, Value=properties["Value"], Type="String", Overwrite=False)
    except ssm.exceptions.ParameterAlreadyExists:
        log.info("parameter %s exists and stays as it is", name)
