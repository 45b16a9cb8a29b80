"""What is logged of a run: its parameters, figures and tags, from what SageMaker, the registry and it say."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bincount.experiments.mlflow import Metric
from bincount.models.registry import ModelPackage
from bincount.runs.run import Details, Run

PAGES = ("evaluation/", "MODEL_CARD.md")
"""Of a run's output; the weights stay where they are."""
STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Stopped": "KILLED"}
"""SageMaker's word for how a job ended -> MLflow's."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Of a run that has ended. Nothing in it depends on when or how often it is made."""

    status: str
    started: int
    ended: int
    params: dict[str, str]
    metrics: list[Metric]
    tags: dict[str, str]


def record_of(run: Run, details: Details | None) -> Record:
    """`details` are what the run wrote; None where it wrote nothing.

    Metrics by epoch are `train/…` and `validation/…`; `model/…` are those of the model that was kept.
    """
    started = _milliseconds(run.started or run.created)
    ended = _milliseconds(run.ended) if run.ended else started + round(run.job.seconds * 1000)
    params = {flag.replace("-", "_"): value for flag, value in run.parameters.items()}
    if details is not None:
        params |= {name: _text(value) for name, value in details.settings.items()}
    metrics = _by_epoch(details, started, ended) if details else []
    last = max((metric.step for metric in metrics), default=0)
    final: Mapping[str, float | None] = {
        **{f"model/{_key(name)}": value for name, value in run.metrics.items()},
        "best_epoch": details.best_epoch if details else None,
        "billable_seconds": run.job.seconds,
        "interruptions": run.interruptions,
        "cost_usd": run.job.cost,
    }
    metrics += [
        Metric(key=key, value=float(value), step=last, timestamp=ended)
        for key, value in sorted(final.items())
        if value is not None and math.isfinite(value)
    ]
    return Record(
        status=STATUS[run.job.status],
        started=started,
        ended=ended,
        params=params,
        metrics=metrics,
        tags=_tags(run),
    )


def gate_metrics(package: ModelPackage, *, ended: int) -> list[Metric]:
    """The gate's figures of a version, with the version as the step."""
    return [
        Metric(key=f"gate/{name}", value=value, step=package.version, timestamp=ended)
        for name, value in package.figures.items()
    ]


def gate_tags(package: ModelPackage) -> dict[str, str]:
    """The gate's verdict on a version, and the version."""
    tags = {
        "bincount.gate": package.gate or "",
        "bincount.gate_said": package.reason or "",
        "bincount.version": str(package.version),
        "bincount.model_package": package.arn,
    }
    return {key: value for key, value in tags.items() if value}


def _tags(run: Run) -> dict[str, str]:
    tags = {
        "bincount.dataset": run.dataset,
        "bincount.tuning_job": run.tuning_job,
        "bincount.output": run.output,
        "bincount.spot": "yes" if run.spot else "no",
        "bincount.failure": run.job.reason,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": run.name,
        "mlflow.note.content": run.job.reason,
    }
    return {key: value for key, value in tags.items() if value}


def _by_epoch(details: Details, started: int, ended: int) -> list[Metric]:
    """Key by key, so that of what was cut off the last step of each key says where to go on."""
    lines = sorted(details.history, key=lambda line: line["epoch"])
    last = lines[-1]["epoch"] if lines else 1
    return [
        Metric(
            key=_key(name),
            value=line[name],
            step=int(line["epoch"]),
            timestamp=started + round((ended - started) * line["epoch"] / last),
        )
        for name in sorted({name for line in lines for name in line if name != "epoch"})
        for line in lines
        if name in line and math.isfinite(line[name])
    ]


def _key(name: str) -> str:
    """MLflow draws what is before a slash as a group; older servers reject a colon."""
    return name.replace(":", "/")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
