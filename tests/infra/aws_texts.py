"""Holds a template's values to what AWS takes: names, character sets, patterns, lengths, choices, bounds.

The limits are those of botocore's service models, reached through the call that CloudFormation makes of a
resource (aws_calls.py); the tasks of a state machine are held to the calls that they make. cfn-lint knows few
of these limits and the embedded cloud fewer.

`template_faults` and `definition_faults` take plain JSON, so that they judge a file of `cdk synth` as well.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import botocore.session
import regex

from tests.infra import aws_calls

# What pseudo parameters may be, for texts that are joined with them: the longest of the usual ones.
SAMPLES = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "ap-southeast-2",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "bincount-stage-serving",
}
LATE = "\ufffd"
"""Stands in a definition for what only a deploy tells."""
_STATES_SERVICES = {"sfn": "stepfunctions"}  # Step Functions takes the names of AWS's Java SDK
_OPTIMIZED = ("sagemaker", "dynamodb", "sns", "sqs", "lambda", "states", "events")


def template_faults(template: Mapping[str, Any]) -> list[str]:
    """Each fault as `<logical id>.<property>: <what is wrong>`; [] where AWS would take every value."""
    faults: list[str] = []
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind.startswith("Custom::"):
            continue  # our own Lambdas, or those of the CDK, take these
        call = aws_calls.CALLS.get(kind)
        if call is None:
            faults.append(f"{name}: tests/infra/aws_calls.py lacks {kind}: add the call that creates it")
            continue
        for path, fault in _resource(kind, call, properties):
            faults.append(f"{name}.{path}: {fault}")
        if kind == "AWS::SSM::Parameter":
            faults += [f"{name}.Value: {fault}" for fault in _parameter_value(properties)]
    return faults + _long_policies(template)


def definition_faults(definition: Mapping[str, Any]) -> list[str]:
    """The same of a state machine's tasks: members that the call lacks, and values that it refuses."""
    faults: list[str] = []
    for name, state in states_of(definition):
        operation = _task_operation(state.get("Resource"))
        if operation is None:
            continue
        given = state.get("Arguments", state.get("Parameters", {}))
        if isinstance(given, str):
            continue  # one JSONata expression for all
        shape = operation.input_shape
        if shape is not None:
            faults += [f"{name}.{path}: {fault}" for path, fault in _value(shape, given, "", None)]
    return faults


def definitions_of(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The definitions of a template's state machines by their names."""
    found: dict[str, dict[str, Any]] = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            properties = resource["Properties"]
            given = properties["DefinitionString"]
            parts = [given] if isinstance(given, str) else given["Fn::Join"][1]
            texts = [text if whole else LATE for text, whole in map(text_of, parts)]
            found[properties["StateMachineName"]] = json.loads("".join(texts))
    return found


def text_of(value: Any) -> tuple[str, bool]:
    """A property's text, and whether it is whole: what only a deploy tells (another resource) is left out."""
    if isinstance(value, str):
        return value.replace(LATE, ""), LATE not in value
    if isinstance(value, dict) and not _is_late(value, in_states=False):
        return json.dumps(value), False  # a document, such as a policy
    if isinstance(value, dict):
        ((function, argument),) = cast("dict[str, Any]", value).items()
        if function == "Ref" and argument in SAMPLES:
            return SAMPLES[argument], True
        if function == "Fn::Join":
            delimiter, parts = argument
            texts = [text_of(part) for part in parts]
            return delimiter.join(text for text, _ in texts), all(whole for _, whole in texts)
    return "", False


def _resource(kind: str, call: aws_calls.Call, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in properties.items():
        if name in ("Tags", "ResourceTags"):
            yield from _tags(value)
            continue
        shape = _target(call, f"{call.operation}.{name}", name)
        if shape is not None:
            yield from _value(shape, value, name, call)
        elif call.moved.get(name) != "" and _holds_text(value):
            yield name, f"no member of {call.operation}: tell in aws_calls.py where {kind} sends it"
        yield from _prose(f"{kind}.{name}", value, name)


def _target(call: aws_calls.Call, usual: str, property_path: str) -> Any:
    """The shape to which a property goes: `usual`, an operation with members, but for what is moved."""
    path = call.moved.get(property_path, usual)
    if not path:
        return None
    operation, *members = path.split(".")
    shape: Any = _operation(call.service, operation).input_shape
    for member in members:
        while shape is not None and shape.type_name == "list":
            shape = shape.member
        shape = _member(shape, member)
    return shape


def _value(shape: Any, value: Any, path: str, call: aws_calls.Call | None) -> Iterator[tuple[str, str]]:
    """The faults of a value; `call` None: in the task of a state machine, where an unknown member is one."""
    in_states = call is None
    if _is_late(value, in_states) and (shape.type_name != "string" or isinstance(value, str)):
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            here = f"{path}.{name}" if path else name
            late = in_states and name.endswith(".$")
            member = _member(shape, name.removesuffix(".$") if late else name)
            if call is not None and here in call.moved:
                member = _target(call, "", here)
            if member is None:
                if in_states or _holds_text(item):
                    yield here, f"{shape.name} has no such member"
            elif not late:
                yield from _value(member, item, here, call)
    elif shape.type_name == "list":
        inner = shape.member
        while inner.type_name == "list":
            inner = inner.member
        for item in cast("list[Any]", value) if isinstance(value, list) else [value]:
            yield from _value(inner, item, path, call)
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if not name.endswith(".$"):
                yield from _value(shape.key, name, f"{path}.{name}", call)
                yield from _value(shape.value, item, f"{path}.{name}", call)
    elif shape.type_name == "string" and not isinstance(value, bool | int | float):
        yield from _text(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _number(shape, value, path)


def _text(shape: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    text, whole = text_of(value)
    limits = shape.metadata
    if len(text) > limits.get("max", len(text)):
        yield path, f"{len(text)} characters, AWS takes {limits['max']}: {text[:80]!r}"
    if not whole:
        return
    if len(text) < limits.get("min", 0):
        yield path, f"{len(text)} characters, AWS takes {limits['min']} and more: {text!r}"
    if "enum" in limits and text not in limits["enum"]:
        yield path, f"{text!r} is none of AWS's choices"
    if "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(text):
        yield path, f"{text!r} does not match AWS's {limits['pattern']}"


def _number(shape: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    try:
        number = float(value)
    except (TypeError, ValueError):
        yield path, f"a number is expected, got {value!r}"
        return
    if not shape.metadata.get("min", number) <= number <= shape.metadata.get("max", number):
        yield path, f"{value} is outside of AWS's {shape.metadata}"


def _prose(path: str, value: Any, shown: str) -> Iterator[tuple[str, str]]:
    """AWS's limits in prose, for the property at `path` and those below it."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _prose(path, item, shown)
    elif isinstance(value, dict) and not _is_late(value, in_states=False):
        for name, item in cast("dict[str, Any]", value).items():
            yield from _prose(f"{path}.{name}", item, f"{shown}.{name}")
    elif path in aws_calls.PROSE:
        pattern, source = aws_calls.PROSE[path]
        text, whole = text_of(value)
        if whole and not _pattern(pattern).fullmatch(text):
            yield shown, f"{text!r} does not match {pattern} ({source})"


def _parameter_value(properties: Mapping[str, Any]) -> Iterator[str]:
    """How long a parameter's value may be depends on its tier."""
    tier = properties.get("Tier", "Standard")
    limit = aws_calls.PARAMETER_CHARACTERS[tier]
    text, whole = text_of(properties["Value"])
    size = len(text.encode())
    if size > limit or (whole and not text):
        yield f"{size} bytes, AWS takes 1 to {limit} of a parameter whose tier is {tier}"


def _tags(value: Any) -> Iterator[tuple[str, str]]:
    """Lists of Key and Value, or a mapping."""
    pairs = (
        cast("dict[str, Any]", value).items()
        if isinstance(value, dict)
        else [(tag["Key"], tag["Value"]) for tag in value]
    )
    for key, tag in pairs:
        text, whole = text_of(tag)
        if not _pattern(aws_calls.TAG_KEY).fullmatch(key):
            yield f"Tags.{key}", f"AWS takes keys of {aws_calls.TAG_KEY}"
        if whole and not _pattern(aws_calls.TAG_VALUE).fullmatch(text):
            yield f"Tags.{key}", f"{text!r} does not match {aws_calls.TAG_VALUE}"


def _long_policies(template: Mapping[str, Any]) -> list[str]:
    """IAM counts all inline policies of a role together."""
    lengths: dict[str, int] = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                lengths[name] = lengths.get(name, 0) + _length(policy["PolicyDocument"])
        elif resource["Type"] == "AWS::IAM::Policy":
            for role in properties["Roles"]:
                lengths[role["Ref"]] = lengths.get(role["Ref"], 0) + _length(properties["PolicyDocument"])
    limit = aws_calls.INLINE_POLICY_CHARACTERS
    return [
        f"{role}: inline policies of {length} characters, IAM takes {limit}"
        for role, length in lengths.items()
        if length > limit
    ]


def _length(document: Any) -> int:
    """As deployed, with 100 characters for what only a deploy tells: more than most ARNs have."""

    def known(value: Any) -> Any:
        if isinstance(value, list):
            return [known(item) for item in cast("list[Any]", value)]
        if isinstance(value, dict) and not _is_late(value, in_states=False):
            return {name: known(item) for name, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, dict):
            text, whole = text_of(value)
            return text if whole else text + 100 * "x"
        return value

    return len(json.dumps(known(document), separators=(",", ":")))


def states_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and state of all states, those inside of maps and branches too."""
    for name, state in definition["States"].items():
        yield name, state
        for inner in [*state.get("Branches", []), state.get("ItemProcessor"), state.get("Iterator")]:
            if inner:
                yield from states_of(inner)


def _task_operation(resource: Any) -> Any:
    """The API call of a task, or None where it calls a Lambda function by its ARN."""
    if not isinstance(resource, str) or ":states:::" not in resource:
        return None
    words = resource.split(":states:::")[1].split(":")
    if words[0] == "aws-sdk":
        service, action = words[1], words[2]
    elif words[0] in _OPTIMIZED:
        service, action = words[0], words[1].split(".")[0]
    else:
        return None
    service = _STATES_SERVICES.get(service, service)
    return _operation(service, action[0].upper() + action[1:])


def _member(shape: Any, name: str) -> Any:
    """botocore begins some names with a small letter where CloudFormation has a capital."""
    if shape is None or shape.type_name != "structure":
        return None
    return {known.lower(): member for known, member in shape.members.items()}.get(name.lower())


def _is_late(value: Any, in_states: bool) -> bool:
    """Whether only a deploy, or a run of the state machine, tells the value; joined texts are looked at."""
    if isinstance(value, str):
        return in_states and value.startswith("{%")
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        return False
    ((function, _),) = cast("dict[str, Any]", value).items()
    return function in ("Ref", "Condition") or function.startswith("Fn::")


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict):
        values = cast("dict[str, Any]", value)
        return not _is_late(values, in_states=False) and any(map(_holds_text, values.values()))
    if isinstance(value, list):
        return any(map(_holds_text, cast("list[Any]", value)))
    return isinstance(value, str)


@cache
def _operation(service: str, operation: str) -> Any:
    return botocore.session.get_session().get_service_model(service).operation_model(operation)


@cache
def _pattern(java: str) -> regex.Pattern[str]:
    r"""A pattern of AWS's models. In Java `[\w-.]` holds a hyphen, and surrogates are points of their own."""
    text = java.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return regex.compile(regex.sub(r"(\\[wdsWDS]|\\p\{\w+\})-(?!\])", r"\1\\-", text))
