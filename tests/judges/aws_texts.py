"""Holds a template's values to what AWS takes: names, character sets, patterns, lengths, choices, bounds.

The limits are those of botocore's service models, reached through the call that CloudFormation makes of a
resource (aws_calls.py). cfn-lint knows few of these limits and the embedded cloud fewer.
It takes plain JSON, so that it judges a file of `cdk synth` as well.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tests.judges import aws_calls
from tests.judges.deploy_time_values import holds_text, is_late, text_of
from tests.judges.limits import member, operation, pattern
from tests.judges.shaped_values import value_verdicts
from tests.judges.verdicts import Verdict, faults_of


def template_faults(template: Mapping[str, Any]) -> list[str]:
    """Each fault as `<logical id>.<property>: <what is wrong>`; [] where AWS would take every value."""
    return faults_of(template_verdicts(template))


def template_verdicts(template: Mapping[str, Any]) -> list[Verdict]:
    """Of each text and number of a template."""
    found: list[Verdict] = []
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind.startswith("Custom::"):
            continue  # our own Lambdas, or those of the CDK, take these
        call = aws_calls.CALLS.get(kind)
        if call is None:
            missing = f"tests/judges/aws_calls.py has no {kind}: add the call that creates it"
            found.append(Verdict(name, missing))
            continue
        found += [Verdict(f"{name}.{path}", fault) for path, fault in _resource(kind, call, properties)]
        if kind == "AWS::SSM::Parameter":
            found += _parameter_value(f"{name}.Value", properties)
    return found + _long_policies(template)


def _resource(kind: str, call: aws_calls.Call, properties: Mapping[str, Any]) -> Iterator[Verdict]:
    def elsewhere(path: str) -> tuple[bool, Any]:
        return path in call.moved, _target(call, "", path)

    for name, value in properties.items():
        if name in ("Tags", "ResourceTags"):
            yield from _tags(value)
            continue
        shape = _target(call, f"{call.operation}.{name}", name)
        if shape is not None:
            yield from value_verdicts(shape, value, name, elsewhere)
        elif call.moved.get(name) != "" and holds_text(value):
            fault = f"no member of {call.operation}: say in aws_calls.py where {kind} sends it"
            yield Verdict(name, fault)
        yield from _prose(f"{kind}.{name}", value, name)


def _target(call: aws_calls.Call, usual: str, property_path: str) -> Any:
    """The shape to which a property goes: `usual`, an operation with members, but for what is moved."""
    path = call.moved.get(property_path, usual)
    if not path:
        return None
    name, *members = path.split(".")
    shape: Any = operation(call.service, name).input_shape
    for each in members:
        while shape is not None and shape.type_name == "list":
            shape = shape.member
        shape = member(shape, each)
    return shape


def _prose(path: str, value: Any, shown: str) -> Iterator[Verdict]:
    """AWS's limits in prose, for the property at `path` and those below it."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _prose(path, item, shown)
    elif isinstance(value, dict) and not is_late(value, in_states=False):
        for name, item in cast("dict[str, Any]", value).items():
            yield from _prose(f"{path}.{name}", item, f"{shown}.{name}")
    elif path in aws_calls.PROSE:
        allowed, source = aws_calls.PROSE[path]
        text, whole = text_of(value)
        if whole and not pattern(allowed).fullmatch(text):
            yield Verdict(shown, f"{text!r} does not match {allowed} ({source})")


def _parameter_value(path: str, properties: Mapping[str, Any]) -> Iterator[Verdict]:
    """How long a parameter's value may be depends on its tier."""
    tier = properties.get("Tier", "Standard")
    limit = aws_calls.PARAMETER_CHARACTERS[tier]
    text, whole = text_of(properties["Value"])
    size = len(text.encode())
    if size > limit or (whole and not text):
        yield Verdict(path, f"{size} bytes, AWS takes 1 to {limit} of a parameter whose tier is {tier}")


def _tags(value: Any) -> Iterator[Verdict]:
    """Lists of Key and Value, or a mapping."""
    pairs = (
        cast("dict[str, Any]", value).items()
        if isinstance(value, dict)
        else [(tag["Key"], tag["Value"]) for tag in value]
    )
    for key, tag in pairs:
        text, whole = text_of(tag)
        yield Verdict(f"Tags.{key}")
        if not pattern(aws_calls.TAG_KEY).fullmatch(key):
            yield Verdict(f"Tags.{key}", f"AWS takes keys of {aws_calls.TAG_KEY}")
        if whole and not pattern(aws_calls.TAG_VALUE).fullmatch(text):
            yield Verdict(f"Tags.{key}", f"{text!r} does not match {aws_calls.TAG_VALUE}")


def _long_policies(template: Mapping[str, Any]) -> list[Verdict]:
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
        Verdict(role, f"inline policies of {length} characters, IAM takes {limit}" if length > limit else "")
        for role, length in lengths.items()
    ]


def _length(document: Any) -> int:
    """As deployed, with 100 characters for what only a deploy makes known: more than most ARNs have."""

    def known(value: Any) -> Any:
        if isinstance(value, list):
            return [known(item) for item in cast("list[Any]", value)]
        if isinstance(value, dict) and not is_late(value, in_states=False):
            return {name: known(item) for name, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, dict):
            text, whole = text_of(value)
            return text if whole else text + 100 * "x"
        return value

    return len(json.dumps(known(document), separators=(",", ":")))
