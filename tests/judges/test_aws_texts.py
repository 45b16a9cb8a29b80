"""What AWS's models refuse is found: character sets, patterns, lengths, choices, bounds, members of calls."""

import copy
from functools import cache
from typing import Any

import pytest

from tests.judges.aws_tasks import definition_faults
from tests.judges.aws_texts import template_faults
from tests.judges.combinations import Combination, assembly


@cache
def prod() -> list[dict[str, Any]]:
    return [stack.template for stack in assembly(Combination("prod", "prod")).values()]


@pytest.mark.parametrize(
    ("kind", "path", "wrong", "words"),
    [
        ("AWS::EC2::SecurityGroupIngress", "Description", "the site's jobs", "does not match"),
        ("AWS::EC2::SecurityGroup", "GroupDescription", "x" * 256, "does not match"),
        ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName", "bin_count", "does not match"),
        ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName", "b" * 64, "characters, AWS takes 63"),
        ("AWS::KMS::Alias", "AliasName", "alias/bin count", "does not match"),
        ("AWS::CloudWatch::Alarm", "AlarmDescription", "x" * 1025, "AWS takes 1024"),
        ("AWS::CloudWatch::Alarm", "TreatMissingData", "", "AWS takes 1 and more"),
        ("AWS::CloudWatch::Alarm", "EvaluationPeriods", 0, "outside of AWS's"),
        ("AWS::SageMaker::Endpoint", "DeploymentConfig.BlueGreenUpdatePolicy.TerminationWaitInSeconds", 4000,
         "outside of AWS's"),
        ("AWS::SageMaker::EndpointConfig", "ProductionVariants.0.InstanceType", "ml.c9.huge", "choices"),
        ("AWS::SageMaker::Model", "Nonsense", "text", "say in aws_calls.py where"),
        ("AWS::SSM::Parameter", "Tags.system", "bin<count>", "does not match"),
        ("AWS::IAM::Policy", "PolicyDocument.Statement", [{"Sid": "x" * 10_300}], "IAM takes 10240"),
    ],
)  # fmt: skip
def test_a_value_that_aws_rejects_is_found(kind: str, path: str, wrong: Any, words: str) -> None:
    of_kind = (t for t in prod() if any(r["Type"] == kind for r in t["Resources"].values()))
    template = copy.deepcopy(next(of_kind))
    resource = next(r for r in template["Resources"].values() if r["Type"] == kind)
    target: Any = resource["Properties"]
    *parents, last = path.split(".")
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    target[last] = wrong
    assert any(words in fault for fault in template_faults(template))


@pytest.mark.parametrize(
    ("tier", "longest"),
    [(None, 4096), ("Standard", 4096), ("Advanced", 8192), ("Intelligent-Tiering", 8192)],
)
def test_a_parameters_tier_bounds_its_value(tier: str | None, longest: int) -> None:
    def faults(value: Any) -> list[str]:
        properties = {"Name": "/bins", "Type": "String", "Value": value, **({"Tier": tier} if tier else {})}
        parameter = {"Type": "AWS::SSM::Parameter", "Properties": properties}
        return template_faults({"Resources": {"Parameter": parameter}})

    assert faults("x" * longest) == []
    (long,) = faults("x" * (longest + 1))
    assert f"AWS takes 1 to {longest}" in long
    # A part of it is known only after a deploy: what is known already is too long.
    (joined,) = faults({"Fn::Join": ["", ["x" * (longest + 1), {"Ref": "Bucket"}]]})
    assert f"AWS takes 1 to {longest}" in joined
    assert len(faults("")) == 1


def test_a_type_without_its_call_is_a_fault() -> None:
    (fault,) = template_faults({"Resources": {"Thing": {"Type": "AWS::New::Thing"}}})
    assert "aws_calls.py has no AWS::New::Thing" in fault


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ModelPackageName": "x", "Status": "Approved"}, "has no such member"),
        ({"ModelPackageName": "{% $states.input.x %}", "Status.$": "$.status"}, "has no such member"),
        ({"ModelPackageArn": "not an ARN"}, "does not match"),
        ({"ModelPackageArn": "{% $states.input.x %}", "ModelApprovalStatus": "Yes"}, "choices"),
    ],
)
def test_a_call_that_aws_rejects_is_found(arguments: dict[str, Any], words: str) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sagemaker:updateModelPackage"}
    inner = {"States": {"Update": {**task, "Arguments": arguments}}}
    faults = definition_faults({"States": {"Each": {"Type": "Map", "ItemProcessor": inner}}})
    assert any(words in fault for fault in faults)
