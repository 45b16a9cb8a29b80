"""The model registry: versions, approval, and the event that reports it."""

from typing import Any

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.registry.model_package_groups import ModelPackageGroups
from embedded_cloud.sagemaker.registry.model_packages import ModelPackages


class Registry:
    """A registry with one group; `events` collects what it publishes."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.groups = ModelPackageGroups()
        self.packages = ModelPackages(groups=self.groups, publish_event=self.events.append)
        self.groups.create({"ModelPackageGroupName": "team-local"})

    def add(self, **members: Any) -> dict[str, Any]:
        return self.packages.create({"ModelPackageGroupName": "team-local", **members})

    def approvals(self) -> list[str]:
        return [event["Detail"]["ModelApprovalStatus"] for event in self.events]


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_versions_count_up_and_numbers_are_not_given_twice(registry: Registry):
    first = registry.add()
    registry.packages.delete({"ModelPackageName": first["ModelPackageArn"]})
    assert registry.add()["ModelPackageArn"].endswith(":model-package/team-local/2")


def test_one_client_token_makes_one_package(registry: Registry):
    """A task that is tried again because its answer was lost finds the package of its first attempt."""
    first = registry.add(ClientToken="an-execution", ModelApprovalStatus="Approved")
    assert registry.add(ClientToken="an-execution", ModelApprovalStatus="Approved") == first
    assert registry.approvals() == ["Approved"]
    assert registry.add(ClientToken="another")["ModelPackageVersion"] == 2
    assert [registry.add()["ModelPackageVersion"] for _ in range(2)] == [3, 4]


def test_a_new_package_waits_for_approval_and_says_so(registry: Registry):
    registry.add()
    assert registry.approvals() == ["PendingManualApproval"]
    assert registry.events[0]["Source"] == "aws.sagemaker"
    assert registry.events[0]["DetailType"] == "SageMaker Model Package State Change"


def test_a_change_of_approval_is_one_event_with_what_the_release_needs(registry: Registry):
    specification = {"Containers": [{"Image": "i", "ModelDataUrl": "s3://bins/model.tar.gz"}]}
    arn = registry.add(InferenceSpecification=specification)["ModelPackageArn"]
    for _ in range(2):
        registry.packages.update({"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"})
    assert registry.approvals() == ["PendingManualApproval", "Approved"]
    detail = registry.events[-1]["Detail"]
    assert detail["ModelPackageArn"] == arn
    assert detail["ModelPackageVersion"] == 1
    assert detail["ModelPackageGroupName"] == "team-local"
    assert detail["InferenceSpecification"] == specification


def test_properties_are_merged_and_removed(registry: Registry):
    arn = registry.add(CustomerMetadataProperties={"a": "1", "b": "2"})["ModelPackageArn"]
    registry.packages.update(
        {
            "ModelPackageArn": arn,
            "CustomerMetadataProperties": {"c": "3"},
            "CustomerMetadataPropertiesToRemove": ["a"],
        }
    )
    assert registry.packages.get(arn)["CustomerMetadataProperties"] == {"b": "2", "c": "3"}


def test_packages_are_listed_by_group_and_approval(registry: Registry):
    registry.add()
    registry.add(ModelApprovalStatus="Approved")
    page = registry.packages.list({"ModelPackageGroupName": "team-local", "ModelApprovalStatus": "Approved"})
    assert [row["ModelPackageVersion"] for row in page["ModelPackageSummaryList"]] == [2]


def test_pages_follow_one_another(registry: Registry):
    for _ in range(3):
        registry.add()
    first = registry.packages.list({"MaxResults": 2})
    second = registry.packages.list({"MaxResults": 2, "NextToken": first["NextToken"]})
    versions = [
        row["ModelPackageVersion"] for page in (first, second) for row in page["ModelPackageSummaryList"]
    ]
    assert versions == [1, 2, 3]
    assert "NextToken" not in second


def test_a_group_with_packages_cannot_be_deleted(registry: Registry):
    registry.add()
    with pytest.raises(AwsError, match="still contains 1 model packages"):
        registry.groups.delete({"ModelPackageGroupName": "team-local"})


def test_unknown_names_get_aws_errors(registry: Registry):
    with pytest.raises(AwsError, match=r"ModelPackageGroup arn:.*/nobody does not exist"):
        registry.packages.create({"ModelPackageGroupName": "nobody"})
    with pytest.raises(AwsError, match=r"ModelPackage arn:.*/nobody/1 does not exist"):
        registry.packages.get("nobody/1")
