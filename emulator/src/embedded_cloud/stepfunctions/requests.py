"""What Step Functions refuses in a request, before ministack sees it."""

import json
import re
from typing import Any

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.stepfunctions.definition import findings_of, invalid_definition

_MOST_NAME = 80  # characters; the API reference's limit of a name
_MOST_INPUT = 262_144  # characters; the same of an input
# White space, brackets, wildcards, special and control characters, as the API reference lists them.
_BAD_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_name(name: str) -> None:
    """Raises InvalidName for a machine's or an execution's name that AWS does not take."""
    if not 1 <= len(name) <= _MOST_NAME or _BAD_NAME.search(name):
        raise AwsError("InvalidName", f"Invalid Name: '{name}'")


def check_definition(definition: str) -> None:
    """Raises InvalidDefinition with everything that is wrong."""
    message = invalid_definition(definition)
    if message:
        raise AwsError("InvalidDefinition", message)


def check_create(request: dict[str, Any]) -> None:
    """Holds a CreateStateMachine request. Raises AwsError."""
    check_name(request.get("name", ""))
    check_definition(request.get("definition", ""))


def check_update(request: dict[str, Any]) -> None:
    """Holds an UpdateStateMachine request. Raises AwsError."""
    if "definition" in request:
        check_definition(request["definition"])
    elif not {"roleArn", "loggingConfiguration", "tracingConfiguration", "publish"} & set(request):
        raise AwsError("MissingRequiredParameter", "Either the definition or the roleArn must be specified")


def check_start(request: dict[str, Any]) -> None:
    """Holds a StartExecution request to its input and name. Raises AwsError."""
    if request.get("name") is not None:
        check_name(request["name"])
    given = request.get("input")
    if given is None:
        return
    if len(given) > _MOST_INPUT:
        raise validation_error(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_MOST_INPUT}"
        )
    try:
        json.loads(given)
    except ValueError as error:
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None


def validation_of(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of ValidateStateMachineDefinition."""
    most = request.get("maxResults") or 100
    findings = findings_of(request.get("definition", ""))
    diagnostics = [
        {
            "severity": "ERROR",
            "code": finding.code,
            "message": finding.message,
            **({"location": finding.location} if finding.location else {}),
        }
        for finding in findings[:most]
    ]
    return {
        "result": "FAIL" if findings else "OK",
        "diagnostics": diagnostics,
        "truncated": len(findings) > most,
    }
