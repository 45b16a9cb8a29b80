"""cdk-nag's AwsSolutions rules and cfn-lint on every stage; reasons for what is let pass."""

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from infra.settings import STAGES
from infra.shared.nag import explain_wildcards
from infra.stage import synthesize
from tests.infra.conftest import ROOT

Templates = dict[str, dict[str, Template]]


@pytest.mark.parametrize("stage", STAGES)
def test_cdk_nag_and_the_cdk_find_nothing(templates: Templates, stage: str) -> None:
    """The fixture synthesizes with cdk-nag: a finding would have raised."""
    assert {"data", "training", "serving"} <= set(templates[stage])


def test_cfn_lint_finds_nothing(templates: Templates, tmp_path: Path) -> None:
    for stage, parts in templates.items():
        for part, template in parts.items():
            (tmp_path / f"{stage}-{part}.json").write_text(json.dumps(template.to_json()))
    command = [str(Path(sys.executable).with_name("cfn-lint")), *map(str, sorted(tmp_path.glob("*.json")))]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_finding_that_nobody_acknowledged_fails_the_synth() -> None:
    app = cdk.App()
    s3.CfnBucket(cdk.Stack(app, "Stack"), "Bucket")
    with pytest.raises(RuntimeError, match="Acknowledge with"):
        synthesize(app)


def test_a_wildcard_without_a_reason_fails_the_synth() -> None:
    app, role = _role_with("arn:aws:s3:::bucket/models/*")
    with pytest.raises(RuntimeError, match="Acknowledge with"):
        synthesize(app)
    app, role = _role_with("arn:aws:s3:::bucket/models/*")
    explain_wildcards(role, {"/models/*": "models are named as they are made"})
    synthesize(app)


def test_a_reason_that_excuses_nothing_fails_the_synth() -> None:
    app, role = _role_with("arn:aws:s3:::bucket/models/one")
    explain_wildcards(role, {"/models/*": "models are named as they are made"})
    with pytest.raises(RuntimeError, match="'/models/\\*'"):
        synthesize(app)


def _role_with(resource: str) -> tuple[cdk.App, iam.Role]:
    app = cdk.App()
    principal = iam.ServicePrincipal("sagemaker.amazonaws.com")
    role = iam.Role(cdk.Stack(app, "Stack"), "Role", assumed_by=principal)
    role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[resource]))
    return app, role
