"""A training run as SageMaker, the registry and its own output describe it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bincount.errors import BincountError
from bincount.models.registry import ModelPackage, packages, read_package
from bincount.models.training_jobs import TrainingJob, is_absent, read_job, read_prices
from bincount.runs.output import read_output
from bincount.stage.stage import STAGE_NAME, Stage

KINDS = ("bins", "try")
"""How names start: `bins-<stage>-…` are of the pipeline, `try-<stage>-…` of training/launch.py."""
_NAME = re.compile(rf"(?:{'|'.join(KINDS)})-({STAGE_NAME.pattern})-[A-Za-z0-9-]+")
_DATASET = re.compile(r"(s3://.+?/datasets/([^/]+)/)")
_TOOLKIT = ("sagemaker_", "_tuning_")
METRICS = "evaluation/metrics.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training job.

    `parameters` are its flags; `metrics` the figures of the model that it wrote, by SageMaker's names
    (`test:rmse`); `dataset` the dataset's id, `dataset_uri` its address; `output` the S3 address of its
    output.tar.gz, None before it has ended; `interruptions` how often AWS took its spot instance away;
    `versions` what the registry has of it; `started` and `ended` when its instance trained, None before that.
    """

    job: TrainingJob
    created: datetime
    started: datetime | None
    ended: datetime | None
    parameters: dict[str, str]
    dataset: str | None
    dataset_uri: str | None
    tuning_job: str | None
    output: str | None
    interruptions: int
    spot: bool
    versions: tuple[ModelPackage, ...]

    @property
    def name(self) -> str:
        return self.job.name

    @property
    def metrics(self) -> dict[str, float]:
        return self.job.metrics

    @property
    def saving(self) -> float | None:
        """The share of the price on demand that spot saved; None on demand, and before the run has ended."""
        return self.job.saving if self.spot else None

    @property
    def verdict(self) -> str | None:
        """The gate's newest word, `accepted` or `rejected`; None where it evaluated no model of this run."""
        return next((package.gate for package in self.versions if package.gate), None)

    def members(self) -> dict[str, object]:
        """All of it as JSON values."""
        return {
            "name": self.name,
            "status": self.job.status,
            "created": self.created.isoformat(),
            "tuning_job": self.tuning_job,
            "dataset": self.dataset,
            "parameters": self.parameters,
            "metrics": self.metrics,
            "billable_seconds": self.job.seconds,
            "training_seconds": self.job.training_seconds,
            "cost_usd": self.job.cost,
            "spot": self.spot,
            "saving": self.saving,
            "interruptions": self.interruptions,
            "gate": self.verdict,
            "versions": [package.version for package in self.versions],
            "output": self.output,
            "reason": self.job.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a run wrote of itself: `history` has a line an epoch (`epoch` and metrics by their names),
    `settings` are all of training/train.py, `best_epoch` is the one with the lowest RMSE on the
    validation images.
    """

    history: list[dict[str, float]]
    settings: dict[str, Any]

    @property
    def best_epoch(self) -> int | None:
        lines = [line for line in self.history if "validation:rmse" in line]
        if not lines:
            return None
        best = min(lines, key=lambda line: (line["validation:rmse"], line.get("validation:loss", 0.0)))
        return int(best["epoch"])


def stage_of(name: str) -> str | None:
    """The stage that a training job of ours belongs to, by its name; None for other names."""
    found = _NAME.fullmatch(name)
    return found.group(1) if found else None


def find_runs(stage: Stage, *, most: int = 20) -> list[Run]:
    """The newest training jobs of the stage, newest first, whatever became of them."""
    client = stage.client("sagemaker")
    found: list[tuple[datetime, str]] = []
    for kind in KINDS:
        prefix = f"{kind}-{stage.name}-"
        pages = client.get_paginator("list_training_jobs").paginate(
            NameContains=prefix,
            SortBy="CreationTime",
            SortOrder="Descending",
            PaginationConfig={"MaxItems": most},
        )
        found += [
            (job["CreationTime"], job["TrainingJobName"])
            for page in pages
            for job in page["TrainingJobSummaries"]
            if job["TrainingJobName"].startswith(prefix)
        ]
    prices, versions = read_prices(stage), _versions(stage)
    return [_describe(stage, name, prices, versions) for _, name in sorted(found, reverse=True)[:most]]


def find_run(stage: Stage, name: str) -> Run:
    """The run of that name. Raises BincountError where there is none."""
    try:
        return _describe(stage, name, read_prices(stage), _versions(stage))
    except ClientError as error:
        if not is_absent(error):
            raise
    raise BincountError(
        f"{stage.prefix} has no run {name!r}: `bincount runs --stage {stage.name}` lists them"
    )


def runs_beside(stage: Stage, name: str, *, package: str) -> list[Run]:
    """The runs of the tuning job that the run `name` is of, oldest first; it alone where it is of none.

    `package` is the ARN of the version that `name` has; older versions are not looked up.
    """
    prices, versions = read_prices(stage), {name: [read_package(stage, package)]}
    run = _describe(stage, name, prices, versions)
    if run.tuning_job is None:
        return [run]
    pages = (
        stage.client("sagemaker")
        .get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
        .paginate(HyperParameterTuningJobName=run.tuning_job, SortBy="CreationTime", SortOrder="Ascending")
    )
    names = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    return [_describe(stage, each, prices, versions) for each in names]


def read_details(stage: Stage, run: Run) -> Details | None:
    """What the run wrote; None where it wrote nothing: it runs still, failed, or is not ours."""
    if run.output is None:
        return None
    found = read_output(stage, run.output, [METRICS])
    return details_of(found[METRICS]) if METRICS in found else None


def details_of(metrics: bytes) -> Details:
    """From the file METRICS of a run's output."""
    document = json.loads(metrics)
    return Details(history=document.get("history", []), settings=document.get("settings", {}))


def _versions(stage: Stage) -> dict[str, list[ModelPackage]]:
    """The registry's packages by training job, newest first; none where the stage has no registry yet."""
    try:
        found = packages(stage)
    except ClientError as error:
        if not is_absent(error):
            raise
        found = []
    versions: dict[str, list[ModelPackage]] = {}
    for package in found:
        versions.setdefault(package.training_job or "", []).append(package)
    return versions


def _describe(
    stage: Stage, name: str, prices: Mapping[str, float], versions: Mapping[str, list[ModelPackage]]
) -> Run:
    job = stage.client("sagemaker").describe_training_job(TrainingJobName=name)
    given = job.get("HyperParameters", {})
    ended = job["TrainingJobStatus"] in ("Completed", "Stopped") and job.get("ModelArtifacts")
    tuning, place = job.get("TuningJobArn"), _DATASET.search(_channel(job))
    return Run(
        job=read_job(job, prices),
        created=job["CreationTime"].astimezone(UTC),
        started=_moment(job, "TrainingStartTime"),
        ended=_moment(job, "TrainingEndTime"),
        parameters={flag: value.strip('"') for flag, value in given.items() if not flag.startswith(_TOOLKIT)},
        dataset=place.group(2) if place else None,
        dataset_uri=place.group(1) if place else None,
        tuning_job=tuning.rsplit("/", 1)[1] if tuning else None,
        output=_output(job) if ended else None,
        interruptions=sum(
            step["Status"] == "Interrupted" for step in job.get("SecondaryStatusTransitions", [])
        ),
        spot=job.get("EnableManagedSpotTraining", False),
        versions=tuple(versions.get(name, ())),
    )


def _moment(job: dict[str, Any], name: str) -> datetime | None:
    return job[name].astimezone(UTC) if name in job else None


def _output(job: dict[str, Any]) -> str:
    return (
        f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job['TrainingJobName']}/output/output.tar.gz"
    )


def _channel(job: dict[str, Any]) -> str:
    """The address of the channel `dataset`, with a slash at its end."""
    for channel in job.get("InputDataConfig", []):
        if channel["ChannelName"] == "dataset":
            return f"{channel['DataSource'].get('S3DataSource', {}).get('S3Uri', '').rstrip('/')}/"
    return ""
