"""Synthesis that fails where AWS would fail later."""

import json
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

# CDK only warns of these, but a deploy would fail on them, or worse, take the endpoint along.
FATAL = {"W1001": "refers to a resource that may not exist (its Condition can be false)"}


class SynthesisError(RuntimeError):
    """The templates hold something that must not be deployed."""


def synthesize(app: App) -> None:
    """Write the cloud assembly; raises SynthesisError where one of the FATAL rules is broken.

    cdk-nag's AwsSolutions rules run too: a finding that nobody acknowledged is printed with its id, and the
    CDK raises.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    report = Path(app.synth().directory) / "validation-report.json"
    if not report.is_file():
        raise SynthesisError(f"CDK wrote no {report.name}: is aws-cdk-lib the pinned version?")
    faults = [
        f"{violation['ruleName']} {FATAL[violation['ruleName']]}: {violation['description']}"
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        if violation["ruleName"] in FATAL
    ]
    if faults:
        raise SynthesisError("\n".join(faults))
