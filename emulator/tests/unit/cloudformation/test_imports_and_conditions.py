"""Nothing that exists may refer to a resource whose Condition is false."""

from typing import Any

import pytest
from embedded_cloud.cloudformation.conditions import check_references
from embedded_cloud.cloudformation.imports import bucket_policy_import, import_lookups
from embedded_cloud.sagemaker.registry.model_package_groups import ModelPackageGroups
from ministack.services.cloudformation.engine import _intrinsic_references as references

POLICY, GROUP = "AWS::S3::BucketPolicy", "AWS::SageMaker::ModelPackageGroup"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/"


def problem(kind: str, value: str) -> str | None:
    groups = ModelPackageGroups()
    groups.create({"ModelPackageGroupName": "bins"})
    lookups = import_lookups(
        policies={"photos": "{}"},
        describe_group=groups.get,
    )
    keys, look = lookups[kind]
    assert keys == {POLICY: ("Bucket",), GROUP: ("ModelPackageGroupArn",)}[kind]
    return look(value)


def test_what_is_there_can_be_imported():
    assert problem(POLICY, "photos") is None
    assert problem(GROUP, f"{ARN}bins") is None


def test_what_is_not_there_is_rejected_with_a_reason():
    assert problem(POLICY, "others") == "The bucket policy does not exist"
    assert "others" in (problem(GROUP, f"{ARN}others") or "")


def test_an_imported_policy_is_known_by_its_bucket_and_keeps_its_handlers():
    handler: dict[str, Any] = {"create": "as before"}
    imported = bucket_policy_import(handler)
    assert imported["import"]({"Bucket": "photos"}) == ("photos", {})
    assert imported["create"] == "as before"


MODEL = {"Type": "AWS::SageMaker::Model", "Condition": "HasModel"}
BUCKET = "AWS::S3::Bucket"


def check(template: dict[str, Any], *, has_model: bool) -> None:
    check_references(template, {"HasModel": has_model}, references=references)


@pytest.mark.parametrize(
    ("template", "block"),
    [
        ({"Resources": {"M": MODEL, "B": {"Type": BUCKET, "Properties": {"X": {"Ref": "M"}}}}}, "Resources"),
        (
            {"Resources": {"M": MODEL, "B": {"Type": BUCKET, "Properties": {"X": {"Fn::Sub": "${M.Arn}"}}}}},
            "Resources",
        ),
        ({"Resources": {"M": MODEL, "B": {"Type": BUCKET, "DependsOn": ["M"]}}}, "Resources"),
        (
            {"Resources": {"M": MODEL}, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["M", "ModelName"]}}}},
            "Outputs",
        ),
    ],
)
def test_a_reference_into_a_false_condition_is_aws_error(template: dict[str, Any], block: str):
    with pytest.raises(ValueError, match=rf"Unresolved resource dependencies \[M\] in the {block} block"):
        check(template, has_model=False)
    check(template, has_model=True)


def test_a_reference_under_the_same_condition_is_fine():
    output = {"Condition": "HasModel", "Value": {"Ref": "M"}}
    check({"Resources": {"M": MODEL}, "Outputs": {"O": output}}, has_model=False)


def test_the_branch_of_an_if_that_is_not_taken_does_not_count():
    value = {"Fn::If": ["HasModel", {"Ref": "M"}, "none"]}
    check({"Resources": {"M": MODEL}, "Outputs": {"O": {"Value": value}}}, has_model=False)
