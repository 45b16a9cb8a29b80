"""CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs."""

from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.sagemaker.registry.models import Models
from embedded_cloud.sagemaker.store import HostingResources, Record


class EndpointConfigs(HostingResources):
    """Endpoint configurations: which model runs as which production variant."""

    def __init__(self, *, models: Models) -> None:
        self._models = models
        super().__init__(kind="EndpointConfig", words="endpoint configuration")

    def create(self, request: dict[str, Any]) -> Record:
        """Keeps a configuration whose model exists."""
        variants = request["ProductionVariants"]
        if len(variants) != 1 or "ModelName" not in variants[0]:
            raise validation_error(
                f"The embedded cloud runs endpoints of one production variant with a ModelName, "
                f"got {len(variants)} variants: keep one."
            )
        self._models.store.get(variants[0]["ModelName"])
        return self.store.add(request["EndpointConfigName"], self._new(request))
