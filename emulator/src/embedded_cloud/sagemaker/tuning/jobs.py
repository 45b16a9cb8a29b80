"""The operations on tuning jobs: Create, Describe, List, Stop, Delete, and the list of their trials."""

import threading
import time
from typing import Any

from embedded_cloud.errors import AwsError, validation_error
from embedded_cloud.identity import sagemaker_arn
from embedded_cloud.sagemaker.store import ErrorOfName, Operations, Record, Store, page_of
from embedded_cloud.sagemaker.tags import Tags
from embedded_cloud.sagemaker.training_jobs import TrainingJobs, check_definition
from embedded_cloud.sagemaker.tuning.run import TuningRun
from embedded_cloud.sagemaker.tuning.sampler import TuningSampler
from embedded_cloud.sagemaker.tuning.warm_start import IDENTICAL, best_of, parents_of, start_of

_ARN = sagemaker_arn("hyper-parameter-tuning-job/{name}")


class TuningJobs:
    """Tuning jobs; each runs its trials in threads of its own."""

    def __init__(self, *, training_jobs: TrainingJobs, tags: Tags) -> None:
        self._training_jobs = training_jobs
        self._tags = tags
        self._runs: dict[str, TuningRun] = {}
        self.store = Store(
            kind="HyperParameterTuningJob",
            missing=ErrorOfName(
                "ResourceNotFound", f"Amazon SageMaker can't find a tuning job with ARN {_ARN}."
            ),
            taken=ErrorOfName(
                "ResourceInUse",
                f"Hyperparameter tuning job names must be unique within an AWS account and region, "
                f"and {_ARN} exists.",
            ),
        )
        self.operations: Operations = {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": lambda request: self.store.get(
                request["HyperParameterTuningJobName"]
            ),
            "StopHyperParameterTuningJob": self.stop,
            "DeleteHyperParameterTuningJob": self.delete,
            "ListHyperParameterTuningJobs": self.list,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_trials,
        }

    def create(self, request: dict[str, Any]) -> Record:
        """Starts a tuning job and returns its record, which the run keeps up to date."""
        config, definition = request["HyperParameterTuningJobConfig"], _definition(request)
        parents, objective = parents_of(request, self.store), config["HyperParameterTuningJobObjective"]
        sampler = TuningSampler(
            strategy=config["Strategy"],
            ranges=config.get("ParameterRanges", {}),
            seed=config.get("RandomSeed", 0),
            start=start_of(parents, objective),
        )
        _check_limits(config, sampler)
        name, now = request["HyperParameterTuningJobName"], time.time()
        record = {
            **request,
            "HyperParameterTuningJobArn": _ARN.format(name=name),
            "HyperParameterTuningJobStatus": "InProgress",
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            "CreationTime": now,
            "LastModifiedTime": now,
            "TrainingJobStatusCounters": dict.fromkeys(
                ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0
            ),
            "ObjectiveStatusCounters": dict.fromkeys(("Succeeded", "Pending", "Failed"), 0),
        }
        identical = request.get("WarmStartConfig", {}).get("WarmStartType") == IDENTICAL
        self.store.add(name, record)
        run = TuningRun(
            record=record,
            definition=definition,
            sampler=sampler,
            training_jobs=self._training_jobs,
            tags=self._tags,
            best_of_parents=best_of(parents, objective) if identical else None,
        )
        self._runs[name] = run
        threading.Thread(target=run.run, name=f"tuning-job-{name}", daemon=True).start()
        return record

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Asks a tuning job and its running trials to stop."""
        record = self.store.get(request["HyperParameterTuningJobName"])
        if record["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            raise validation_error(
                f"The tuning job is in status {record['HyperParameterTuningJobStatus']} and cannot "
                "be stopped."
            )
        self._runs[record["HyperParameterTuningJobName"]].stop()
        return {}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """Forgets a tuning job that has ended; its training jobs stay. One that is not there is no fault."""
        name = request["HyperParameterTuningJobName"]
        for record in self.store.all():
            if record["HyperParameterTuningJobName"] == name:
                if record["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
                    raise validation_error(f"The tuning job {name} has not ended: stop it first.")
                self.store.remove(name)
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of tuning jobs."""
        return page_of(
            self.store.all(),
            request,
            member="HyperParameterTuningJobSummaries",
            name_key="HyperParameterTuningJobName",
            status_key="HyperParameterTuningJobStatus",
        )

    def list_trials(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of the training jobs that one tuning job has started."""
        record = self.store.get(request["HyperParameterTuningJobName"])
        rows = self._runs[record["HyperParameterTuningJobName"]].summaries()
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            rows = [row for row in rows if "FinalHyperParameterTuningJobObjectiveMetric" in row]
            rows.sort(key=lambda row: row["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
            if request.get("SortOrder") == "Descending":
                rows.reverse()
            return {"TrainingJobSummaries": rows[: request.get("MaxResults", 100)]}
        return page_of(
            rows,
            request,
            member="TrainingJobSummaries",
            name_key="TrainingJobName",
            status_key="TrainingJobStatus",
        )

    def close(self) -> None:
        """Starts no further trials."""
        for run in self._runs.values():
            run.abandon()


def _definition(request: dict[str, Any]) -> dict[str, Any]:
    """The one training job definition, checked as AWS checks it."""
    definition = request.get("TrainingJobDefinition")
    if not definition or request.get("TrainingJobDefinitions"):
        raise validation_error(
            "The embedded cloud tunes one TrainingJobDefinition (not TrainingJobDefinitions)."
        )
    check_definition(definition)
    config = request["HyperParameterTuningJobConfig"]
    objective = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise validation_error("HyperParameterTuningJobObjective is required.")
    metrics = [metric["Name"] for metric in definition["AlgorithmSpecification"].get("MetricDefinitions", [])]
    if objective["MetricName"] not in metrics:
        raise validation_error(
            f"The objective metric for the hyperparameter tuning job, [{objective['MetricName']}], "
            "isn't among the "
            f"MetricDefinitions of the training job definition: {metrics}"
        )
    ranges: dict[str, list[dict[str, Any]]] = config.get("ParameterRanges", {})
    tuned = {limits["Name"] for group in ranges.values() for limits in group}
    both = sorted(tuned & set(definition.get("StaticHyperParameters", {})))
    if both:
        raise validation_error(f"The hyperparameters {both} are static and tuned at the same time: keep one.")
    return definition


def _check_limits(config: dict[str, Any], sampler: TuningSampler) -> None:
    limits = config["ResourceLimits"]
    most = limits.get("MaxNumberOfTrainingJobs")
    if sampler.size is not None and most is not None and most != sampler.size:
        raise AwsError(
            "ValidationException",
            f"MaxNumberOfTrainingJobs is {most}, but the Grid has {sampler.size} combinations: "
            "leave it out or set it.",
        )
    if sampler.size is None and most is None:
        raise validation_error("MaxNumberOfTrainingJobs is required for this strategy.")
    if most is not None and limits["MaxParallelTrainingJobs"] > most:
        raise validation_error("MaxParallelTrainingJobs must not be greater than MaxNumberOfTrainingJobs.")
