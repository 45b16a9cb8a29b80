"""The training jobs of a stage, as SageMaker tells of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bincount.prices import dollars
from bincount.stage import Stage

ENDED = ("Completed", "Failed", "Stopped")
_SHOWN = ("epochs", "batch-size", "learning-rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One job; `seconds` are billed so far, `cost` their list price in dollars (None: not known)."""

    name: str
    status: str
    step: str
    flags: dict[str, str]
    metrics: dict[str, float]
    seconds: float
    cost: float | None
    reason: str | None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


def jobs_since(stage: Stage, moment: datetime) -> list[TrainingJob]:
    """The pipeline's training jobs (`bins-<stage>-…`) created at `moment` or later, oldest first."""
    client = stage.client("sagemaker")
    pages = client.get_paginator("list_training_jobs").paginate(
        NameContains=f"bins-{stage.name}-",
        CreationTimeAfter=moment,
        SortBy="CreationTime",
        SortOrder="Ascending",
    )
    names = [
        job["TrainingJobName"]
        for page in pages
        for job in page["TrainingJobSummaries"]
        if job["CreationTime"] >= moment
    ]
    return [read_job(client.describe_training_job(TrainingJobName=name)) for name in names]


def read_job(job: dict[str, Any]) -> TrainingJob:
    """A job from DescribeTrainingJob's answer."""
    began = job.get("TrainingStartTime")
    running = (datetime.now(UTC) - began).total_seconds() if began and not job.get("TrainingEndTime") else 0
    seconds = float(job.get("BillableTimeInSeconds", running))
    given = job.get("HyperParameters", {})
    resources = job.get("ResourceConfig", {})
    return TrainingJob(
        name=job["TrainingJobName"],
        status=job["TrainingJobStatus"],
        step=job.get("SecondaryStatus", ""),
        flags={flag: given[flag].strip('"') for flag in _SHOWN if flag in given},
        metrics={metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])},
        seconds=seconds,
        cost=dollars(
            resources.get("InstanceType", ""), seconds=seconds, instances=resources.get("InstanceCount", 1)
        ),
        reason=job.get("FailureReason"),
    )


def total_cost(jobs: list[TrainingJob]) -> float | None:
    """The sum; None where one is not known."""
    costs = [job.cost for job in jobs]
    return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
