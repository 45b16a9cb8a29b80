"""Resource import of what a destroyed stage leaves: bucket policies and model package groups."""

from typing import Any

from embedded_cloud.cloudformation.imports import bucket_policy_import, import_lookups
from embedded_cloud.sagemaker.registry.model_package_groups import ModelPackageGroups

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


def test_what_is_not_there_is_refused_with_a_reason():
    assert problem(POLICY, "others") == "The bucket policy does not exist"
    assert "others" in (problem(GROUP, f"{ARN}others") or "")


def test_an_imported_policy_is_known_by_its_bucket_and_keeps_its_handlers():
    handler: dict[str, Any] = {"create": "as before"}
    imported = bucket_policy_import(handler)
    assert imported["import"]({"Bucket": "photos"}) == ("photos", {})
    assert imported["create"] == "as before"
