"""The training jobs of a stage, as SageMaker describes them, and what they cost by list prices.

An estimate for a person's eyes (docs/cost.md); the bill is AWS's.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bincount.stage.stage import Stage


def read_prices(stage: Stage) -> dict[str, float]:
    """Dollars an hour by instance type, from the parameter `/bincount/<stage>/training`.

    Empty where the stage is not deployed, or by a version that published none. A type that is not there has
    no known price.
    """
    try:
        answer = stage.client("ssm").get_parameter(Name=stage.parameter("training"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return {}
    return json.loads(answer["Parameter"]["Value"]).get("prices", {})


def dollars(price: float | None, *, seconds: float, instances: int = 1) -> float | None:
    """So many instance-seconds at `price` dollars an hour; None where that is not known."""
    return None if price is None else price * instances * seconds / 3600


def shown_dollars(amount: float | None) -> str:
    """For people: `$1.23`, `under $0.01`, or `unknown`."""
    if amount is None:
        return "unknown"
    return "under $0.01" if 0 < amount < 0.01 else f"${amount:,.2f}"


ENDED = ("Completed", "Failed", "Stopped")
_SHOWN = ("epochs", "batch-size", "learning-rate")
_METRICS = {"train:loss": "loss", "validation:accuracy": "accuracy", "validation:rmse": "RMSE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One job; `seconds` are billed so far, `cost` their list price in dollars (None: not known).

    `training_seconds` is how long it trained, which on demand is what is billed; None before the end.
    """

    name: str
    status: str
    step: str
    flags: dict[str, str]
    metrics: dict[str, float]
    seconds: float
    cost: float | None
    reason: str | None
    training_seconds: float | None = None

    @property
    def saving(self) -> float | None:
        """The share of the price on demand that spot saved, as SageMaker's console reckons it."""
        return 1 - self.seconds / self.training_seconds if self.training_seconds else None

    @property
    def ended(self) -> bool:
        """Whether it runs no more, however it ended."""
        return self.status in ENDED

    def shown(self) -> str:
        """`bins-dev-…: Completed; epochs 3, batch-size 32; loss 1.234, accuracy 0.512; why it failed`."""
        flags = ", ".join(f"{flag} {value[:8]}" for flag, value in self.flags.items())
        metrics = ", ".join(
            f"{words} {self.metrics[name]:.3f}" for name, words in _METRICS.items() if name in self.metrics
        )
        step = f" ({self.step})" if self.step not in ("", self.status) else ""
        pieces = [f"{self.name}: {self.status}{step}", flags, metrics, self.reason or ""]
        return "; ".join(piece for piece in pieces if piece)


def jobs_since(stage: Stage, moment: datetime) -> list[TrainingJob]:
    """All training jobs of the stage that were created at `moment` or later, oldest first.

    The pipeline's (`bins-<stage>-…`) and those of training/launch.py (`try-<stage>-…`).
    """
    client = stage.client("sagemaker")
    found: list[tuple[datetime, str]] = []
    for kind in ("bins", "try"):
        prefix = f"{kind}-{stage.name}-"
        pages = client.get_paginator("list_training_jobs").paginate(
            NameContains=prefix, CreationTimeAfter=moment, SortBy="CreationTime", SortOrder="Ascending"
        )
        found += [
            (job["CreationTime"], job["TrainingJobName"])
            for page in pages
            for job in page["TrainingJobSummaries"]
            if job["CreationTime"] >= moment and job["TrainingJobName"].startswith(prefix)
        ]
    prices = read_prices(stage)
    return [_described(client, name, prices) for _, name in sorted(found)]


def jobs_of(stage: Stage, tuning_jobs: list[str]) -> list[TrainingJob]:
    """The training jobs that these tuning jobs started, oldest first; one that is not there yet has none."""
    client = stage.client("sagemaker")
    names: list[str] = []
    for tuning_job in tuning_jobs:
        pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=tuning_job, SortBy="CreationTime", SortOrder="Ascending"
        )
        try:
            names += [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
        except ClientError as error:
            if not is_absent(error):
                raise
    prices = read_prices(stage)
    return [_described(client, name, prices) for name in names]


def is_absent(error: ClientError) -> bool:
    """Whether SageMaker says by `error` that what was asked for is not there: it has two codes for that."""
    return error.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException")


def tuning_jobs_of(stage: Stage, history: list[dict[str, Any]]) -> list[str]:
    """The names of the tuning jobs that an execution of the pipeline has started, by its history's events.

    They are `bins-<stage>-` and 16 or 17 digits or letters a-f; their training jobs' names go on after that.
    """
    name = re.compile(rf"(?<![\w-])bins-{re.escape(stage.name)}-[0-9a-f]{{16,17}}(?![\w-])")
    found: dict[str, None] = {}
    for event in history:
        for match in name.findall(json.dumps(event, default=str)):
            found[match] = None
    return list(found)


def _described(client: Any, name: str, prices: Mapping[str, float]) -> TrainingJob:
    return read_job(client.describe_training_job(TrainingJobName=name), prices)


def read_job(job: dict[str, Any], prices: Mapping[str, float]) -> TrainingJob:
    """A job from DescribeTrainingJob's answer; `prices` are dollars an hour by instance type."""
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
            prices.get(resources.get("InstanceType", "")),
            seconds=seconds,
            instances=resources.get("InstanceCount", 1),
        ),
        reason=job.get("FailureReason"),
        training_seconds=job.get("TrainingTimeInSeconds"),
    )


def total_cost(jobs: list[TrainingJob]) -> float | None:
    """The sum; None where one is not known."""
    costs = [job.cost for job in jobs]
    return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
