"""CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs."""

import time
from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.identity import sagemaker_arn
from embedded_cloud.sagemaker.registry.models import Models
from embedded_cloud.sagemaker.store import ErrorOfName, Operations, Record, Store, page_of

_ARN = sagemaker_arn("endpoint-config/{name}")


class EndpointConfigs:
    """Endpoint configurations: which model runs as which production variant."""

    def __init__(self, *, models: Models) -> None:
        self._models = models
        self.store = Store(
            missing=ErrorOfName("ValidationException", f'Could not find endpoint configuration "{_ARN}".'),
            taken=ErrorOfName(
                "ValidationException", f'Cannot create already existing endpoint configuration "{_ARN}".'
            ),
        )
        self.operations: Operations = {
            "CreateEndpointConfig": self.create,
            "DescribeEndpointConfig": lambda request: self.store.get(request["EndpointConfigName"]),
            "DeleteEndpointConfig": self.delete,
            "ListEndpointConfigs": self.list,
        }

    def create(self, request: dict[str, Any]) -> Record:
        """Keeps a configuration whose model exists."""
        variants = request["ProductionVariants"]
        if len(variants) != 1 or "ModelName" not in variants[0]:
            raise validation_error(
                f"The embedded cloud runs endpoints of one production variant with a ModelName, "
                f"got {len(variants)} variants: keep one."
            )
        self._models.store.get(variants[0]["ModelName"])
        name = request["EndpointConfigName"]
        record = {**request, "EndpointConfigArn": _ARN.format(name=name), "CreationTime": time.time()}
        return self.store.add(name, record)

    def delete(self, request: dict[str, Any]) -> Record:
        """Forgets a configuration; an endpoint that was made from it keeps running, as on AWS."""
        self.store.remove(request["EndpointConfigName"])
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of configurations, newest first."""
        return page_of(
            self.store.all(),
            request,
            member="EndpointConfigs",
            name_key="EndpointConfigName",
            descending=True,
        )
