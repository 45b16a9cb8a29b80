"""One run of one tuning job: its trials and the best of them."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.store import Record
from embedded_cloud.sagemaker.tags import Tags
from embedded_cloud.sagemaker.training_jobs import TrainingJobs
from embedded_cloud.sagemaker.tuning.sampler import Sample, TuningSampler

_OWN_MEMBERS = (
    "StaticHyperParameters",
    "DefinitionName",
    "HyperParameterRanges",
    "TuningObjective",
    "HyperParameterTuningResourceConfig",
)
_COUNTER = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}


class TuningRun:
    """Starts trials, at most MaxParallelTrainingJobs at a time, and keeps `record` up to date.

    `best_of_parents`: of a warm start on identical data, where the best of all is reported, too.
    """

    def __init__(
        self,
        *,
        record: Record,
        definition: dict[str, Any],
        sampler: TuningSampler,
        training_jobs: TrainingJobs,
        tags: Tags,
        best_of_parents: dict[str, Any] | None = None,
    ) -> None:
        self._best_of_parents = best_of_parents
        self._record = record
        self._definition = definition
        self._sampler = sampler
        self._training_jobs = training_jobs
        self._tags = tags
        self._objective: dict[str, str] = record["HyperParameterTuningJobConfig"][
            "HyperParameterTuningJobObjective"
        ]
        self._limits: dict[str, int] = record["ResourceLimits"]
        self._trials: list[tuple[Record, Sample]] = []
        self._next = iter(range(sampler.size or self._limits["MaxNumberOfTrainingJobs"]))
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        """Runs all trials, then settles the tuning job's own status."""
        workers = [
            threading.Thread(target=self._work, name=f"tuning-worker-{number}", daemon=True)
            for number in range(self._limits["MaxParallelTrainingJobs"])
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self._settle()

    def stop(self) -> None:
        """Starts no more trials and stops those that run."""
        self._record["HyperParameterTuningJobStatus"] = "Stopping"
        self.abandon()
        for trial, _ in self._all_trials():
            self._training_jobs.stop_running(trial["TrainingJobName"])

    def abandon(self) -> None:
        """Starts no more trials."""
        self._stopping.set()

    def summaries(self) -> list[dict[str, Any]]:
        """HyperParameterTrainingJobSummary of every trial so far, oldest first."""
        return [self._summary(trial, sample) for trial, sample in self._all_trials()]

    def _work(self) -> None:
        for trial in self._started_trials():
            self._training_jobs.wait(trial["TrainingJobName"])
            self._count(trial)

    def _started_trials(self) -> Iterator[Record]:
        """Starts the next trial each time it is asked, until there are no more to start."""
        while not self._stopping.is_set():
            with self._lock:
                number = next(self._next, None)
                if number is None:
                    return
                try:
                    trial = self._start(number)
                except AwsError as error:
                    self._record["FailureReason"] = error.message
                    self._stopping.set()
                    return
            yield trial

    def _start(self, number: int) -> Record:
        sample = self._sampler.draw(number)
        name = f"{self._record['HyperParameterTuningJobName']}-{number + 1:03d}-{uuid.uuid4().hex[:8]}"
        request = {key: value for key, value in self._definition.items() if key not in _OWN_MEMBERS}
        request["TrainingJobName"] = name
        request["HyperParameters"] = {
            **self._definition.get("StaticHyperParameters", {}),
            **sample,
            "_tuning_objective_metric": self._objective["MetricName"],
        }
        trial = self._training_jobs.create(request, tuning_job_arn=self._record["HyperParameterTuningJobArn"])
        # A tuning job's tags are those of its training jobs, too.
        self._tags.set(trial["TrainingJobArn"], self._record.get("Tags", []))
        self._trials.append((trial, sample))
        self._record["TrainingJobStatusCounters"]["InProgress"] += 1
        self._record["ObjectiveStatusCounters"]["Pending"] += 1
        return trial

    def _count(self, trial: Record) -> None:
        with self._lock:
            status, objective = (
                self._record["TrainingJobStatusCounters"],
                self._record["ObjectiveStatusCounters"],
            )
            status["InProgress"] -= 1
            status[_COUNTER[trial["TrainingJobStatus"]]] += 1
            objective["Pending"] -= 1
            objective["Failed" if self._value(trial) is None else "Succeeded"] += 1
            self._record["LastModifiedTime"] = time.time()
        best = self._best()
        if best:
            self._record["BestTrainingJob"] = best
        if self._best_of_parents:
            both = [each for each in (self._best_of_parents, best) if each]
            self._record["OverallBestTrainingJob"] = self._better(both, _value_of)

    def _settle(self) -> None:
        now = time.time()
        if self._stopping.is_set() and "FailureReason" not in self._record:
            status = "Stopped"
        elif "BestTrainingJob" in self._record:
            status = "Completed"
        else:
            status = "Failed"
            reasons = sorted({trial.get("FailureReason", "no objective metric") for trial, _ in self._trials})
            self._record.setdefault("FailureReason", f"All training jobs failed. {' '.join(reasons)}"[:1024])
        self._record.update(
            HyperParameterTuningJobStatus=status, HyperParameterTuningEndTime=now, LastModifiedTime=now
        )

    def _best(self) -> dict[str, Any] | None:
        """The completed trial with the best objective, or None."""
        completed = [
            (value, trial, sample)
            for trial, sample in self._all_trials()
            if trial["TrainingJobStatus"] == "Completed" and (value := self._value(trial)) is not None
        ]
        if not completed:
            return None
        _, trial, sample = self._better(completed, lambda row: row[0])
        return self._summary(trial, sample)

    def _better(self, rows: list[Any], value: Callable[[Any], float]) -> Any:
        return (max if self._objective["Type"] == "Maximize" else min)(rows, key=value)

    def _summary(self, trial: Record, sample: Sample) -> dict[str, Any]:
        summary = {
            "TrainingJobName": trial["TrainingJobName"],
            "TrainingJobArn": trial["TrainingJobArn"],
            "CreationTime": trial["CreationTime"],
            "TrainingStartTime": trial.get("TrainingStartTime"),
            "TrainingEndTime": trial.get("TrainingEndTime"),
            "TrainingJobStatus": trial["TrainingJobStatus"],
            "TunedHyperParameters": sample,
            "FailureReason": trial.get("FailureReason"),
        }
        value = self._value(trial)
        if trial["TrainingJobStatus"] in ("InProgress", "Stopping"):
            summary["ObjectiveStatus"] = "Pending"
        elif value is None:
            summary["ObjectiveStatus"] = "Failed"
        else:
            summary["ObjectiveStatus"] = "Succeeded"
            summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
                "Type": self._objective["Type"],
                "MetricName": self._objective["MetricName"],
                "Value": value,
            }
        return summary

    def _value(self, trial: Record) -> float | None:
        for metric in trial.get("FinalMetricDataList", []):
            if metric["MetricName"] == self._objective["MetricName"]:
                return metric["Value"]
        return None

    def _all_trials(self) -> list[tuple[Record, Sample]]:
        with self._lock:
            return list(self._trials)


def _value_of(summary: dict[str, Any]) -> float:
    return summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
