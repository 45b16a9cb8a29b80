"""CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob."""

from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.errors import validation_error
from embedded_cloud.jobs.transform_run import TransformRun
from embedded_cloud.sagemaker.jobs import Jobs
from embedded_cloud.sagemaker.registry.models import Models, container_of
from embedded_cloud.sagemaker.store import Record
from embedded_cloud.settings import Settings

_MOST_MEGABYTES_IN_FLIGHT = 100  # MaxConcurrentTransforms x MaxPayloadInMB (API reference)
_DEFAULT_PAYLOAD = 6


class TransformJobs(Jobs[TransformRun]):
    """Batch transform jobs; each starts a server of its model and asks it about every object of its input."""

    def __init__(self, *, settings: Settings, aws: Aws, models: Models) -> None:
        self._settings, self._aws, self._models = settings, aws, models
        super().__init__(kind="TransformJob", descending=True)

    def create(self, request: dict[str, Any]) -> Record:
        """Starts a job and returns its record, which the run keeps up to date."""
        _check(request)
        model = self._models.store.get(request["ModelName"])
        record = self._new(request)
        return self._start(
            record,
            lambda: TransformRun(
                record=record,
                container=container_of(model),
                role=model.get("ExecutionRoleArn"),
                settings=self._settings,
                aws=self._aws,
            ),
        )


def _check(request: dict[str, Any]) -> None:
    """Refuses what AWS refuses although the shape is right, and what this cloud cannot do."""
    source = request["TransformInput"]
    if source.get("SplitType", "None") != "None" or source.get("CompressionType", "None") != "None":
        raise validation_error(
            "The embedded cloud sends every object whole: leave out SplitType and CompressionType (got "
            f"{source.get('SplitType')} and {source.get('CompressionType')})."
        )
    if request["TransformResources"]["InstanceCount"] != 1 or request.get("BatchStrategy") == "MultiRecord":
        raise validation_error(
            "The embedded cloud transforms on one instance, one record a request: set InstanceCount to 1 and "
            "BatchStrategy to SingleRecord."
        )
    if request.get("DataProcessing"):
        raise validation_error("The embedded cloud joins and filters nothing: leave out DataProcessing.")
    payload = request.get("MaxPayloadInMB", _DEFAULT_PAYLOAD)
    concurrent = request.get("MaxConcurrentTransforms", 1)
    if payload * max(1, concurrent) > _MOST_MEGABYTES_IN_FLIGHT:
        raise validation_error(
            f"MaxConcurrentTransforms x MaxPayloadInMB must not exceed {_MOST_MEGABYTES_IN_FLIGHT} MB, got "
            f"{concurrent} x {payload} MB."
        )
