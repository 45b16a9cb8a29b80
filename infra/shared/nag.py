"""Findings of cdk-nag that are accepted, each with its reason; a wildcard without one fails the synth."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

import jsii
from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct, IValidation


def acknowledge(scope: IConstruct, *, rule: str, reason: str) -> None:
    """Accept `rule` (as cdk-nag prints it, without its pack: `AwsSolutions-S1`) for `scope` and all below it.

    A wildcard in a policy is explained with `explain_wildcards` instead. `infra/stage.py` runs the rules.
    """
    Validations.of(scope).acknowledge(Acknowledgment(id=rule, reason=reason))


RULE = "AwsSolutions-IAM5"


def explain_wildcards(scope: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept the wildcards in the policies of `scope` and below it whose text ends with a key of `reasons`.

    A key such as `/models/*` is the end of a resource as cdk-nag prints it (`Resource::<B.Arn>/models/*`),
    since the beginning holds hashed ids and the account. A lone star is written `Resource::*`; tokens are
    allowed. A key that no policy needs fails the synth: reasons must not outlive what they excuse.
    """
    scope.node.add_validation(_Explanations(scope, reasons))


@jsii.implements(IValidation)
class _Explanations:
    """Acknowledges when the tree is validated: only then are references between stacks resolved.

    Each question to the CDK is a message to another process, so a policy is read once for all reasons.
    """

    def __init__(self, scope: IConstruct, reasons: Mapping[str, str]) -> None:
        self._scope, self._reasons = scope, reasons

    def validate(self) -> list[str]:
        stack = Stack.of(self._scope)
        reasons = {_ending(stack, end): reason for end, reason in self._reasons.items()}
        needless = set(reasons)
        for policy in self._scope.node.find_all():
            for finding in _findings(policy):
                for ending in (end for end in reasons if finding.endswith(end)):
                    needless.discard(ending)
                    ids = Acknowledgment(id=f"{RULE}[{finding}]", reason=reasons[ending])
                    Validations.of(policy).acknowledge(ids)
        return [
            f"a wildcard that ends with {ending!r} is explained here, but no policy holds one: "
            "remove the explanation, or correct its end"
            for ending in reasons
            if ending in needless
        ]


def _ending(stack: Stack, ending: str) -> str:
    resolved = stack.resolve(ending)
    return resolved if isinstance(resolved, str) else _flat(resolved)


def _findings(node: IConstruct) -> Iterable[str]:
    """What cdk-nag calls the wildcards of a policy, or of a role with inline policies."""
    if isinstance(node, iam.CfnPolicy | iam.CfnManagedPolicy):
        documents = [Stack.of(node).resolve(node.policy_document)]
    elif isinstance(node, iam.CfnRole) and node.policies is not None:
        documents = [policy["policyDocument"] for policy in Stack.of(node).resolve(node.policies)]
    else:
        return
    for statement in (s for document in documents for s in document["Statement"]):
        if statement["Effect"] == "Allow":
            yield from (f"Action::{a}" for a in _listed(statement["Action"]) if "*" in a)
            yield from (f"Resource::{r}" for r in map(_flat, _listed(statement["Resource"])) if "*" in r)


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _flat(value: Any) -> str:
    """A resource as text, in cdk-nag's spelling (its utils/flatten-cfn-reference)."""
    if isinstance(value, str):
        return value.replace("${", "<").replace("}", ">")
    match value:
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(_flat(part) for part in parts)
        case {"Fn::Sub": text} | {"Fn::ImportValue": text}:
            return _flat(text)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{_flat(resource)}.{_flat(attribute)}>"
        case {"Ref": name}:
            return f"<{_flat(name)}>"
        case _:
            return json.dumps(value, separators=(",", ":"))
