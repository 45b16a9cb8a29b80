"""Holds the tasks of state machines to the API calls that they make, by AWS's own models."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator

from tests.judges.deploy_time_values import LATE, text_of
from tests.judges.limits import member, operation
from tests.judges.shaped_values import value_verdicts
from tests.judges.verdicts import Verdict, faults_of

_SERVICES = {"sfn": "stepfunctions"}  # Step Functions takes the names of AWS's Java SDK
_OPTIMIZED = ("sagemaker", "dynamodb", "sns", "sqs", "lambda", "states", "events")


def definition_faults(definition: Mapping[str, Any]) -> list[str]:
    """What is missing in a task's call, and values that it refuses: `<state>.<member>: <what is wrong>`."""
    return faults_of(definition_verdicts(definition))


def definition_verdicts(definition: Mapping[str, Any]) -> list[Verdict]:
    """Of each text and number that a definition's tasks send; what only a run makes known is left out."""
    found: list[Verdict] = []
    for name, state in states_of(definition):
        found += task_verdicts(name, state, state.get("Arguments", {}))
    return found


def task_verdicts(name: str, state: Mapping[str, Any], arguments: Any) -> list[Verdict]:
    """Of what the state `name` sends; [] for states that call no API, or with one expression for all."""
    try:
        call = call_of(state.get("Resource"))
    except (UnknownServiceError, OperationNotFoundError) as error:
        return [Verdict(name, f"AWS has no such call: {error}")]
    if call is None or call.input_shape is None or isinstance(arguments, str):
        return []
    verdicts = value_verdicts(call.input_shape, arguments, "", None)
    return [Verdict(f"{name}.{path}", fault) for path, fault in verdicts]


def sends(definition: Mapping[str, Any]) -> int:
    """How many tasks of a definition call an API of AWS."""
    return sum(call_of(state.get("Resource")) is not None for _, state in states_of(definition))


def incomplete(state: Mapping[str, Any], arguments: Any) -> list[str]:
    """What botocore itself finds wrong with whole arguments: missing members and wrong types."""
    shape = call_of(state.get("Resource")).input_shape
    report = ParamValidator().validate(_as_botocore(shape, arguments), shape)
    return report.generate_report().splitlines() if report.has_errors() else []


def _as_botocore(shape: Any, value: Any) -> Any:
    """Step Functions begins all members with a capital, botocore not those of every service."""
    if shape.type_name == "structure" and isinstance(value, dict):
        known = {name.lower(): name for name in shape.members}
        return {
            known.get(name.lower(), name): _as_botocore(member(shape, name), item)
            if name.lower() in known
            else item
            for name, item in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_as_botocore(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _as_botocore(shape.value, item) for name, item in value.items()}
    if shape.type_name == "blob" and not isinstance(value, str | bytes):
        return json.dumps(value)  # a Lambda's payload
    return value


def definitions_of(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A template's state machines: definitions by name, LATE for what only a deploy makes known."""
    found: dict[str, dict[str, Any]] = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            properties = resource["Properties"]
            given = properties["DefinitionString"]
            parts = [given] if isinstance(given, str) else given["Fn::Join"][1]
            texts = [text if whole else LATE for text, whole in map(text_of, parts)]
            found[properties["StateMachineName"]] = json.loads("".join(texts))
    return found


def states_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and state of all states, those inside of maps and branches too."""
    for name, state in definition["States"].items():
        yield name, state
        for inner in [*state.get("Branches", []), state.get("ItemProcessor"), state.get("Iterator")]:
            if inner:
                yield from states_of(inner)


def call_of(resource: Any) -> Any:
    """The API call of a task, or None where it is a Lambda's ARN; raises where AWS has no such call."""
    if not isinstance(resource, str) or ":states:::" not in resource:
        return None
    words = resource.split(":states:::")[1].split(":")
    if words[0] == "aws-sdk":
        service, action = words[1], words[2]
    elif words[0] in _OPTIMIZED:
        service, action = words[0], words[1].split(".")[0]
    else:
        return None
    return operation(_SERVICES.get(service, service), action[0].upper() + action[1:])
