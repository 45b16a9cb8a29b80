"""The stage's model registry: what was trained, what the gate found, and whether it may serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bincount.errors import BincountError
from bincount.stage.stage import Stage

FIGURES = ("accuracy", "within_one", "rmse", "coverage")
"""What the gate writes into the registry (docs/contracts.md, "The gate's verdict")."""
Approval = Literal["Approved", "Rejected"]
APPROVED: Approval = "Approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """One version. `figures` are the gate's, of the bins that were looked at once (the split `test`).

    `gate` is `accepted`, `rejected`, or None without a verdict; `report` the address of the gate's page;
    `verdict` that of its verdict.json; `reason` what the registry says of the approval.
    """

    version: int
    arn: str
    approval: str
    created: datetime
    training_job: str | None
    dataset: str | None
    model_data: str
    gate: str | None
    figures: dict[str, float]
    report: str | None
    verdict: str | None
    reason: str | None

    @property
    def is_approved(self) -> bool:
        """Whether it may serve."""
        return self.approval == APPROVED


def packages(stage: Stage) -> list[ModelPackage]:
    """All versions, newest first."""
    client = stage.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=stage.prefix, SortBy="CreationTime", SortOrder="Descending"
    )
    found = [
        read_package(stage, row["ModelPackageArn"])
        for page in pages
        for row in page["ModelPackageSummaryList"]
    ]
    return sorted(found, key=lambda package: package.version, reverse=True)


def find(stage: Stage, version: int, among: list[ModelPackage]) -> ModelPackage:
    """The package of that number. Raises BincountError where there is none."""
    for package in among:
        if package.version == version:
            return package
    known = ", ".join(str(package.version) for package in among[:10]) or "none"
    raise BincountError(
        f"{stage.prefix} has no version {version}, only {known}: "
        f"`bincount models --stage {stage.name}` lists them"
    )


def decide(stage: Stage, package: ModelPackage, *, approval: Approval, note: str) -> ModelPackage:
    """Approve or reject; the package as the registry has it afterwards."""
    client = stage.client("sagemaker")
    client.update_model_package(
        ModelPackageArn=package.arn, ModelApprovalStatus=approval, ApprovalDescription=note
    )
    return read_package(stage, package.arn)


def serving_model(stage: Stage) -> str:
    """The address of the model that serves, or `none`."""
    answer = stage.client("ssm").get_parameter(Name=stage.parameter("model"))
    return answer["Parameter"]["Value"]


def read_package(stage: Stage, arn: str) -> ModelPackage:
    """The version of that ARN."""
    package = stage.client("sagemaker").describe_model_package(ModelPackageName=arn)
    properties = package.get("CustomerMetadataProperties", {})
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {})
    return ModelPackage(
        version=package["ModelPackageVersion"],
        arn=arn,
        approval=package["ModelApprovalStatus"],
        created=package["CreationTime"],
        training_job=properties.get("training_job"),
        dataset=properties.get("dataset_id"),
        model_data=package["InferenceSpecification"]["Containers"][0].get("ModelDataUrl", ""),
        gate=properties.get("verdict"),
        figures=_figures(properties),
        report=properties.get("report"),
        verdict=quality.get("Statistics", {}).get("S3Uri"),
        reason=package.get("ApprovalDescription") or package.get("ModelPackageDescription"),
    )


def _figures(properties: Mapping[str, str]) -> dict[str, float]:
    """Those that are numbers; a registry may also hold packages that others registered."""
    figures: dict[str, float] = {}
    for name in FIGURES:
        try:
            figures[name] = float(properties[name])
        except (KeyError, ValueError):
            continue
    return figures
