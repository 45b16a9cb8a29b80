"""CreateProcessingJob, DescribeProcessingJob, ListProcessingJobs, StopProcessingJob."""

import threading
import time
from typing import Any

from local.aws import Aws
from local.errors import AwsError, validation_error
from local.hosting.deployment import repository_of
from local.identity import sagemaker_arn
from local.jobs.processing_run import ROOT, ProcessingRun
from local.sagemaker.listing import page_of
from local.sagemaker.store import ErrorOfName, Record, Store
from local.settings import SERVER_REPOSITORY, Settings


class ProcessingJobs:
    """Processing jobs of the serving image; each runs in a thread of its own until it ends."""

    def __init__(self, *, settings: Settings, aws: Aws) -> None:
        self._settings = settings
        self._aws = aws
        self._runs: dict[str, ProcessingRun] = {}
        self._closed = False
        self.store = Store(
            missing=ErrorOfName("ValidationException", "Could not find requested job with name: {name}"),
            taken=ErrorOfName(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, and a job with this name already "
                f"exists ({sagemaker_arn('processing-job/{name}')})",
            ),
        )
        self.operations = {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": lambda request: self.store.get(request["ProcessingJobName"]),
            "StopProcessingJob": self.stop,
            "ListProcessingJobs": self.list,
        }

    def create(self, request: dict[str, Any]) -> Record:
        """Starts a processing job and returns its record, which the run keeps up to date."""
        check_request(request)
        if self._closed:
            raise AwsError("ResourceLimitExceeded", "The embedded cloud is shutting down: no new jobs.")
        name = request["ProcessingJobName"]
        now = time.time()
        record = {
            **request,
            "ProcessingJobArn": sagemaker_arn(f"processing-job/{name}"),
            "ProcessingJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        self.store.add(name, record)
        run = ProcessingRun(record=record, settings=self._settings, aws=self._aws)
        self._runs[name] = run
        threading.Thread(target=run.run, name=f"processing-job-{name}", daemon=True).start()
        return record

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Asks a job to stop; a job that has ended is refused, as on AWS."""
        record = self.store.get(request["ProcessingJobName"])
        if record["ProcessingJobStatus"] not in ("InProgress", "Stopping"):
            raise validation_error(
                f"The request was rejected because the processing job is in status "
                f"{record['ProcessingJobStatus']}."
            )
        self._runs[record["ProcessingJobName"]].stop()
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of jobs."""
        return page_of(
            self.store.all(),
            request,
            member="ProcessingJobSummaries",
            name_key="ProcessingJobName",
            status_key="ProcessingJobStatus",
        )

    def close(self) -> None:
        """Ends every job and waits until each has ended."""
        self._closed = True
        for run in self._runs.values():
            run.abandon()
        for run in self._runs.values():
            run.ended.wait(timeout=10)


def check_request(request: dict[str, Any]) -> None:
    """Refuses what AWS refuses although the shape is right, and what the embedded cloud cannot run."""
    application = request["AppSpecification"]
    if repository_of(application["ImageUri"]) != SERVER_REPOSITORY:
        raise validation_error(
            f"The embedded cloud has no Docker and processes with images of the repository "
            f"{SERVER_REPOSITORY!r} only, got {application['ImageUri']!r}."
        )
    if not application.get("ContainerEntrypoint"):
        raise validation_error("The embedded cloud needs AppSpecification.ContainerEntrypoint.")
    if request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] != 1:
        raise validation_error("The embedded cloud processes on one instance: set InstanceCount to 1.")
    names = [item["InputName"] for item in request.get("ProcessingInputs", [])]
    if len(set(names)) != len(names):
        raise validation_error(f"Input names must be unique within ProcessingInputs, got {names}")
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for kind, items in (("S3Input", request.get("ProcessingInputs", [])), ("S3Output", outputs)):
        for item in items:
            path = item.get(kind, {}).get("LocalPath", "")
            if not path.startswith(f"{ROOT}/"):
                raise validation_error(f"{kind}.LocalPath must be below {ROOT}, got {path!r}")
