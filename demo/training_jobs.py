"""The training jobs of a tuning job, as SageMaker's API tells of them."""

from typing import Any


class TrainingJobs:
    """Those of the tuning job that a pipeline runs."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def progress(self) -> list[str]:
        """A line for each training job: status, hyperparameters, metrics so far."""
        return [_line(job) for job in self._all()]

    def report(self) -> dict[str, Any]:
        """All jobs with hyperparameters and metrics, and the name of the best."""
        jobs = [
            {
                "name": job["TrainingJobName"],
                "status": job["TrainingJobStatus"],
                "seconds": job.get("TrainingTimeInSeconds"),
                "hyperparameters": _tuned(job),
                "metrics": _metrics(job),
            }
            for job in self._all()
        ]
        tuning = self._sagemaker.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=self._tuning_jobs()[-1]
        )
        return {"jobs": jobs, "best": tuning["BestTrainingJob"]["TrainingJobName"]}

    def _tuning_jobs(self) -> list[str]:
        answer = self._sagemaker.list_hyper_parameter_tuning_jobs(
            SortBy="CreationTime", SortOrder="Ascending"
        )
        return [job["HyperParameterTuningJobName"] for job in answer["HyperParameterTuningJobSummaries"]]

    def _all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for tuning in self._tuning_jobs():
            answer = self._sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
                HyperParameterTuningJobName=tuning
            )
            names = sorted(job["TrainingJobName"] for job in answer["TrainingJobSummaries"])
            found += [self._sagemaker.describe_training_job(TrainingJobName=name) for name in names]
        return found


def _tuned(job: dict[str, Any]) -> dict[str, str]:
    wanted = ("epochs", "batch-size", "learning-rate", "arch", "image-size")
    given = job.get("HyperParameters", {})
    return {name: given[name].strip('"') for name in wanted if name in given}


def _metrics(job: dict[str, Any]) -> dict[str, float]:
    return {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}


def _line(job: dict[str, Any]) -> str:
    tuned, metrics = _tuned(job), _metrics(job)
    rate = tuned.get("learning-rate", "")[:7]
    flags = f"epochs {tuned.get('epochs')}, batch {tuned.get('batch-size')}, lr {rate}"
    status = job["TrainingJobStatus"]
    secondary = job.get("SecondaryStatus", status)
    shown = f"{status} ({secondary})" if secondary not in (status, "") else status
    figures = ", ".join(
        f"{label} {metrics[name]:.3f}"
        for name, label in (
            ("train:loss", "loss"),
            ("validation:accuracy", "accuracy"),
            ("validation:rmse", "RMSE"),
        )
        if name in metrics
    )
    reason = f"; {job['FailureReason']}" if job.get("FailureReason") else ""
    return f"{job['TrainingJobName']}: {shown}; {flags}" + (f"; {figures}" if figures else "") + reason
