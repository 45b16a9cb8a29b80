"""Acknowledges a finding of cdk-nag, with the reason, on the construct that causes it."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, *, rule: str, reason: str) -> None:
    """Accept `rule` (as cdk-nag prints it, without its pack: `AwsSolutions-S1`) for `scope` and all below it.

    A wildcard in a policy is explained with `explain_wildcards` instead. `infra/synthesis.py` runs the rules.
    """
    Validations.of(scope).acknowledge(Acknowledgment(id=rule, reason=reason))
