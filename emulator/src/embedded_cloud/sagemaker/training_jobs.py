"""CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob."""

import re
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.errors import validation_error
from embedded_cloud.jobs.training_run import TrainingRun
from embedded_cloud.sagemaker.jobs import Jobs
from embedded_cloud.sagemaker.store import Record
from embedded_cloud.settings import Settings

SPOT_SHARE = 0.3
"""What a spot instance costs here, as a share of the price on demand: AWS's differs by the hour and type."""


class TrainingJobs(Jobs[TrainingRun]):
    """Training jobs; each runs in a thread of its own until it ends."""

    def __init__(self, *, settings: Settings, aws: Aws) -> None:
        self._settings, self._aws = settings, aws
        super().__init__(kind="TrainingJob")

    def create(self, request: dict[str, Any], *, tuning_job_arn: str | None = None) -> Record:
        """Starts a training job and returns its record, which the run keeps up to date."""
        check_definition(request)
        record = self._new(
            request, TuningJobArn=tuning_job_arn, SecondaryStatus="Starting", SecondaryStatusTransitions=[]
        )
        return self._start(record, lambda: TrainingRun(record=record, settings=self._settings, aws=self._aws))

    def get(self, name: str) -> Record:
        """The record, with the running times worked out."""
        record = self.store.get(name)
        if "TrainingStartTime" not in record or "TrainingEndTime" not in record:
            return record
        seconds = max(1, round(_seconds_on_an_instance(record["SecondaryStatusTransitions"])))
        share = SPOT_SHARE if record.get("EnableManagedSpotTraining") else 1
        billable = max(1, round(seconds * share))
        return {**record, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billable}

    def interrupt(self, name: str) -> None:
        """Takes the instance of a managed spot job away; the job starts again from its checkpoints."""
        record = self.store.get(name)
        if not record.get("EnableManagedSpotTraining"):
            raise validation_error(f"{name} runs on demand: only a managed spot instance is taken away.")
        if record["SecondaryStatus"] != "Training":
            raise validation_error(f"{name} is in status {record['SecondaryStatus']}: it does not train now.")
        self._runs[name].interrupt()

    def wait(self, name: str) -> Record:
        """Waits until the job has ended; returns its record."""
        self._runs[name].ended.wait()
        return self.get(name)

    def stop_running(self, name: str) -> None:
        """Stops a job of ours that may have ended in the meantime."""
        if not self._runs[name].ended.is_set():
            self._runs[name].stop()


def _seconds_on_an_instance(transitions: list[dict[str, Any]]) -> float:
    """From the beginning of each training to the end of what came after it on the same instance."""
    return sum(
        step["EndTime"] - step["StartTime"]
        for step in transitions
        if step["Status"] in ("Training", "Uploading", "Stopping") and "EndTime" in step
    )


def check_definition(definition: dict[str, Any]) -> None:
    """Refuses what AWS refuses although the shape is right: of a training job or a tuning job's
    definition.
    """
    algorithm = definition.get("AlgorithmSpecification")
    if not algorithm or "TrainingImage" not in algorithm:
        raise validation_error("The embedded cloud needs AlgorithmSpecification.TrainingImage.")
    for metric in algorithm.get("MetricDefinitions", []):
        _check_regex(metric)
    stopping = definition.get("StoppingCondition", {})
    if definition.get("EnableManagedSpotTraining"):
        longest, wait = stopping.get("MaxRuntimeInSeconds", 86400), stopping.get("MaxWaitTimeInSeconds")
        if wait is None or wait < longest:
            raise validation_error(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                "MaxRuntimeInSeconds"
            )
    elif "MaxWaitTimeInSeconds" in stopping:
        raise validation_error(
            "MaxWaitTimeInSeconds above 0 is not supported when Managed Spot Training is disabled."
        )
    resources = definition.get("ResourceConfig", {})
    if resources.get("InstanceCount", 1) != 1:
        raise validation_error(
            "The embedded cloud trains on one instance: set ResourceConfig.InstanceCount to 1."
        )
    names = [channel["ChannelName"] for channel in definition.get("InputDataConfig", [])]
    if len(set(names)) != len(names):
        raise validation_error(f"Channel names must be unique within InputDataConfig, got {names}")


def _check_regex(metric: dict[str, str]) -> None:
    try:
        groups = re.compile(metric["Regex"]).groups
    except re.error as error:
        raise validation_error(
            f"Metric {metric['Name']}: the regex {metric['Regex']!r} is invalid: {error}"
        ) from error
    if groups < 1:
        raise validation_error(
            f"Metric {metric['Name']}: the regex {metric['Regex']!r} has no group for the value."
        )
