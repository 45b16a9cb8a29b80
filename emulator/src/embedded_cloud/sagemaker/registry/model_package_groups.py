"""CreateModelPackageGroup, DescribeModelPackageGroup, DeleteModelPackageGroup, ListModelPackageGroups."""

from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.identity import ACCOUNT
from embedded_cloud.sagemaker.store import DeletableResources, ErrorOfName, Record


class ModelPackageGroups(DeletableResources):
    """Groups of model packages: the registry's shelves."""

    def __init__(self) -> None:
        super().__init__(
            kind="ModelPackageGroup",
            missing=ErrorOfName("ValidationException", "ModelPackageGroup {arn} does not exist."),
            taken=ErrorOfName("ValidationException", "Model Package Group already exists: {arn}"),
            listed="ModelPackageGroupSummaryList",
        )

    def get(self, name: str) -> Record:
        """The group of that name or ARN."""
        return self.store.get(name.rsplit("/", 1)[-1])

    def create(self, request: dict[str, Any]) -> Record:
        """Makes an empty group."""
        maker = {"IamIdentity": {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "PrincipalId": ACCOUNT}}
        record = self._new(request, ModelPackageGroupStatus="Completed", CreatedBy=maker)
        record |= {"_versions": 0, "_packages": set()}
        return self.store.add(request["ModelPackageGroupName"], record)

    def delete(self, request: dict[str, Any]) -> Record:
        """Forgets an empty group; a group that holds packages is refused, as on AWS."""
        group = self.get(request["ModelPackageGroupName"])
        if group["_packages"]:
            raise validation_error(
                f"Model Package Group {group['ModelPackageGroupArn']} cannot be deleted because it "
                "still contains "
                f"{len(group['_packages'])} model packages. Delete them first."
            )
        self.store.remove(group["ModelPackageGroupName"])
        return {}
