"""Follows a job to its end on the terminal or in a log: a line for each change."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from binlaunch.errors import LaunchError

POLL_SECONDS = 5.0
OVER = ("Completed", "Failed", "Stopped")


def watch_training(*, name: str, sagemaker: Any) -> None:
    """Until it is over. Raises LaunchError where it was not completed."""
    seen = 0
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        changes = job.get("SecondaryStatusTransitions", [])
        for change in changes[seen:]:
            print(f"{change['Status']}: {change.get('StatusMessage', '')}", flush=True)
        seen = len(changes)
        if job["TrainingJobStatus"] in OVER:
            break
        time.sleep(POLL_SECONDS)
    _raise_on_failure(name, job["TrainingJobStatus"], job.get("FailureReason"))
    for line in metric_lines(job.get("FinalMetricDataList", [])):
        print(line, flush=True)
    print(f"model: {job['ModelArtifacts']['S3ModelArtifacts']}", flush=True)


def metric_lines(metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    """DescribeTrainingJob's final metrics as a table: names, however long, and values to 4 digits."""
    width = max((len(metric["MetricName"]) for metric in metrics), default=0)
    return [f"{metric['MetricName']:<{width}}  {metric['Value']:.4f}" for metric in metrics]


def watch_tuning(*, name: str, sagemaker: Any) -> None:
    """Until it is over. Raises LaunchError where it was not completed."""
    said = ""
    while True:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        counts = {k: v for k, v in job["TrainingJobStatusCounters"].items() if v}
        state = f"{job['HyperParameterTuningJobStatus']}: " + (
            ", ".join(f"{count} {what}" for what, count in counts.items()) or "no job yet"
        )
        if state != said:
            said = state
            print(state, flush=True)
        if job["HyperParameterTuningJobStatus"] in OVER:
            break
        time.sleep(POLL_SECONDS)
    _raise_on_failure(name, job["HyperParameterTuningJobStatus"], job.get("FailureReason"))
    best = job["BestTrainingJob"]
    value = best["FinalHyperParameterTuningJobObjectiveMetric"]
    tuned = " ".join(f"--{name} {text}" for name, text in best["TunedHyperParameters"].items())
    print(f"best: {best['TrainingJobName']} ({value['MetricName']} {value['Value']:.4f}) {tuned}", flush=True)


def _raise_on_failure(name: str, status: str, reason: str | None) -> None:
    if status != "Completed":
        raise LaunchError(f"{name} ended as {status}: {reason or 'somebody stopped it'}")
