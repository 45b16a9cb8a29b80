"""CreateModel, DescribeModel, DeleteModel, ListModels."""

from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.sagemaker.store import HostingResources, Record


class Models(HostingResources):
    """Models: an image, a model archive in S3 and the role that may read it."""

    def __init__(self) -> None:
        super().__init__(kind="Model", words="model")

    def create(self, request: dict[str, Any]) -> Record:
        """Keeps a model; SageMaker looks at its archive only when an endpoint starts, and so do we."""
        if not request.get("PrimaryContainer") and len(request.get("Containers", [])) != 1:
            raise validation_error(
                "The embedded cloud runs models of one container: pass PrimaryContainer (or one "
                "entry in Containers)."
            )
        return self.store.add(request["ModelName"], self._new(request))


def container_of(model: Record) -> dict[str, Any]:
    """The model's one container definition."""
    return model.get("PrimaryContainer") or model["Containers"][0]
