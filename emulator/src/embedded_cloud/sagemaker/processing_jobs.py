"""CreateProcessingJob, DescribeProcessingJob, ListProcessingJobs, StopProcessingJob."""

from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.errors import validation_error
from embedded_cloud.hosting.deployment import is_replaced
from embedded_cloud.jobs.processing_run import ROOT, ProcessingRun
from embedded_cloud.sagemaker.jobs import Jobs
from embedded_cloud.sagemaker.store import Record
from embedded_cloud.settings import Project, Settings


class ProcessingJobs(Jobs[ProcessingRun]):
    """Processing jobs of the serving image; each runs in a thread of its own until it ends."""

    def __init__(self, *, settings: Settings, aws: Aws) -> None:
        self._settings, self._aws = settings, aws
        super().__init__(kind="ProcessingJob")

    def create(self, request: dict[str, Any]) -> Record:
        """Starts a processing job and returns its record, which the run keeps up to date."""
        check_request(request, project=self._settings.project, aws=self._aws)
        record = self._new(request)
        return self._start(
            record, lambda: ProcessingRun(record=record, settings=self._settings, aws=self._aws)
        )


def check_request(request: dict[str, Any], *, project: Project, aws: Aws) -> None:
    """Refuses what AWS refuses although the shape is right, and what the embedded cloud cannot run."""
    application = request["AppSpecification"]
    if not is_replaced(application["ImageUri"], project=project, aws=aws, role=request["RoleArn"]):
        raise validation_error(
            f"The embedded cloud has no Docker and replaces {project.images} alone, "
            f"got {application['ImageUri']!r}."
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
