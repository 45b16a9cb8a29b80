"""CreateModelPackageGroup, DescribeModelPackageGroup, DeleteModelPackageGroup, ListModelPackageGroups."""

import time
from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.identity import ACCOUNT, sagemaker_arn
from embedded_cloud.sagemaker.store import ErrorOfName, Operations, Record, Store, page_of

_ARN = sagemaker_arn("model-package-group/{name}")


class ModelPackageGroups:
    """Groups of model packages: the registry's shelves."""

    def __init__(self) -> None:
        self.store = Store(
            missing=ErrorOfName("ValidationException", f"ModelPackageGroup {_ARN} does not exist."),
            taken=ErrorOfName("ValidationException", f"Model Package Group already exists: {_ARN}"),
        )
        self.operations: Operations = {
            "CreateModelPackageGroup": self.create,
            "DescribeModelPackageGroup": lambda request: self.get(request["ModelPackageGroupName"]),
            "DeleteModelPackageGroup": self.delete,
            "ListModelPackageGroups": self.list,
        }

    def get(self, name_or_arn: str) -> Record:
        """The group of that name or ARN."""
        return self.store.get(name_or_arn.rsplit("/", 1)[-1])

    def create(self, request: dict[str, Any]) -> Record:
        """Makes an empty group."""
        name = request["ModelPackageGroupName"]
        record: Record = {
            **request,
            "ModelPackageGroupArn": _ARN.format(name=name),
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": time.time(),
            "CreatedBy": {"IamIdentity": {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "PrincipalId": ACCOUNT}},
            "_versions": 0,
            "_packages": set(),
        }
        return self.store.add(name, record)

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

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of groups."""
        return page_of(
            self.store.all(), request, member="ModelPackageGroupSummaryList", name_key="ModelPackageGroupName"
        )
