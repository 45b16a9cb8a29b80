"""CreateModelPackage, DescribeModelPackage, UpdateModelPackage, DeleteModelPackage, ListModelPackages."""

import threading
import time
from collections.abc import Callable
from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.identity import sagemaker_arn
from embedded_cloud.sagemaker.registry.model_cards import check_content
from embedded_cloud.sagemaker.registry.model_package_groups import ModelPackageGroups
from embedded_cloud.sagemaker.store import DeletableResources, ErrorOfName, Record, page_of

PublishEvent = Callable[[dict[str, Any]], None]

_EVENT_MEMBERS = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelMetrics",
    "CustomerMetadataProperties",
    "CreationTime",
    "LastModifiedTime",
)


class ModelPackages(DeletableResources):
    """Versioned model packages: what was trained, and whether it may serve.

    `publish_event` takes one EventBridge entry; a package's creation and every change of its approval are
    published.
    """

    def __init__(self, *, groups: ModelPackageGroups, publish_event: PublishEvent) -> None:
        self._groups = groups
        self._publish_event = publish_event
        self._creating = threading.Lock()
        super().__init__(
            kind="ModelPackage",
            missing=ErrorOfName("ValidationException", "ModelPackage {name} does not exist."),
            taken=ErrorOfName("ValidationException", "ModelPackage {name} already exists."),
            listed="ModelPackageSummaryList",
        )
        self.operations["UpdateModelPackage"] = self.update

    def get(self, name: str) -> Record:
        """The package of that ARN, or of the name `<group>/<version>`."""
        is_arn = name.startswith("arn:")
        return self.store.get(name if is_arn else sagemaker_arn(f"model-package/{name}"))

    def create(self, request: dict[str, Any]) -> Record:
        """Adds the next version to a group. A second request with the same ClientToken makes none: it is
        answered with the package of the first.
        """
        if "ModelPackageGroupName" not in request:
            raise validation_error(
                "The embedded cloud keeps versioned model packages only: pass ModelPackageGroupName."
            )
        group = self._groups.get(request["ModelPackageGroupName"])
        if content := request.get("ModelCard", {}).get("ModelCardContent"):
            check_content(content, of_package=True)
        with self._creating:
            token = request.get("ClientToken")
            made = (row for row in self.store.all() if token and row.get("ClientToken") == token)
            first = next(made, None)
            if first is not None:
                return first
            record = self._add_version(group, request)
        self._publish(record)
        return record

    def _add_version(self, group: Record, request: dict[str, Any]) -> Record:
        group["_versions"] += 1
        name = group["ModelPackageGroupName"]
        now = time.time()
        record: Record = {
            "ModelApprovalStatus": "PendingManualApproval",
            **request,
            "ModelPackageName": name,
            "ModelPackageGroupName": name,
            "ModelPackageVersion": group["_versions"],
            "ModelPackageArn": sagemaker_arn(f"model-package/{name}/{group['_versions']}"),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        self.store.add(record["ModelPackageArn"], record)
        group["_packages"].add(record["ModelPackageArn"])
        return record

    def update(self, request: dict[str, Any]) -> Record:
        """Changes approval, description or properties."""
        record = self.get(request["ModelPackageArn"])
        before = record["ModelApprovalStatus"]
        for member in (
            "ModelApprovalStatus",
            "ApprovalDescription",
            "InferenceSpecification",
            "SourceUri",
            "ModelCard",
        ):
            if member in request:
                record[member] = request[member]
        properties = {
            **record.get("CustomerMetadataProperties", {}),
            **request.get("CustomerMetadataProperties", {}),
        }
        for key in request.get("CustomerMetadataPropertiesToRemove", []):
            properties.pop(key, None)
        if properties:
            record["CustomerMetadataProperties"] = properties
        record["LastModifiedTime"] = time.time()
        if record["ModelApprovalStatus"] != before:
            self._publish(record)
        return record

    def delete(self, request: dict[str, Any]) -> Record:
        """Forgets a version; its number is not given again."""
        record = self.get(request["ModelPackageName"])
        self.store.remove(record["ModelPackageArn"])
        self._groups.get(record["ModelPackageGroupName"])["_packages"].discard(record["ModelPackageArn"])
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of packages, of one group where the request names it."""
        rows = self.store.all()
        if "ModelPackageGroupName" in request:
            group = self._groups.get(request["ModelPackageGroupName"])["ModelPackageGroupName"]
            rows = [row for row in rows if row["ModelPackageGroupName"] == group]
        if "ModelApprovalStatus" in request:
            rows = [row for row in rows if row["ModelApprovalStatus"] == request["ModelApprovalStatus"]]
        return page_of(rows, request, member=self._listed, name_key=self._name_key)

    def _publish(self, record: Record) -> None:
        self._publish_event(
            {
                "Source": "aws.sagemaker",
                "DetailType": "SageMaker Model Package State Change",
                "Resources": [record["ModelPackageArn"]],
                "Detail": {name: record[name] for name in _EVENT_MEMBERS if name in record},
            }
        )
