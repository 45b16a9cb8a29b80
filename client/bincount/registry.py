"""The stage's model registry: what was trained, how good it is, and whether it may serve."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from bincount.errors import BincountError
from bincount.stage import Stage

METRICS = ("report:accuracy", "report:within_one", "report:rmse")
Approval = Literal["Approved", "Rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """One version; `metrics` are those of the images that were looked at once (report)."""

    version: int
    arn: str
    approval: str
    created: datetime
    training_job: str | None
    dataset: str | None
    model_data: str
    metrics: dict[str, float]


def packages(stage: Stage) -> list[ModelPackage]:
    """All versions, newest first."""
    client = stage.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=stage.prefix, SortBy="CreationTime", SortOrder="Descending"
    )
    found = [
        _read(client, row["ModelPackageArn"]) for page in pages for row in page["ModelPackageSummaryList"]
    ]
    return sorted(found, key=lambda package: package.version, reverse=True)


def decide(stage: Stage, *, version: int, approval: Approval, note: str) -> ModelPackage:
    """Approve or reject a version. Raises BincountError where there is none of that number."""
    matching = [package for package in packages(stage) if package.version == version]
    if not matching:
        raise BincountError(
            f"{stage.prefix} has no version {version}: `bincount models --stage {stage.name}` lists them"
        )
    stage.client("sagemaker").update_model_package(
        ModelPackageArn=matching[0].arn, ModelApprovalStatus=approval, ApprovalDescription=note
    )
    return matching[0]


def _read(client: Any, arn: str) -> ModelPackage:
    package = client.describe_model_package(ModelPackageName=arn)
    told = package.get("CustomerMetadataProperties", {})
    return ModelPackage(
        version=package["ModelPackageVersion"],
        arn=arn,
        approval=package["ModelApprovalStatus"],
        created=package["CreationTime"],
        training_job=told.get("training_job"),
        dataset=told.get("dataset_id"),
        model_data=package["InferenceSpecification"]["Containers"][0].get("ModelDataUrl", ""),
        metrics=_metrics(client, told),
    )


def _metrics(client: Any, told: dict[str, str]) -> dict[str, float]:
    """Those that the registration wrote down, else those of the training job while AWS keeps it."""
    metrics: dict[str, float] = {}
    for name in METRICS:
        text = told.get(name) or told.get(name.replace(":", "_"))
        if text:
            metrics[name] = float(text)
    job = told.get("training_job")
    if metrics or not job:
        return metrics
    try:
        answer = client.describe_training_job(TrainingJobName=job)
    except ClientError:
        return {}  # gone, or another account's: the table shows a dash
    values = {metric["MetricName"]: metric["Value"] for metric in answer.get("FinalMetricDataList", [])}
    return {name: values[name] for name in METRICS if name in values}
