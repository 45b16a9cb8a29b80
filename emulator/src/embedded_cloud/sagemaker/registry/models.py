"""CreateModel, DescribeModel, DeleteModel, ListModels."""

import time
from typing import Any

from embedded_cloud.errors import validation_error
from embedded_cloud.identity import sagemaker_arn
from embedded_cloud.sagemaker.store import ErrorOfName, Operations, Record, Store, page_of

_ARN = sagemaker_arn("model/{name}")


class Models:
    """Models: an image, a model archive in S3 and the role that may read it."""

    def __init__(self) -> None:
        self.store = Store(
            missing=ErrorOfName("ValidationException", f'Could not find model "{_ARN}".'),
            taken=ErrorOfName("ValidationException", f'Cannot create already existing model "{_ARN}".'),
        )
        self.operations: Operations = {
            "CreateModel": self.create,
            "DescribeModel": lambda request: self.store.get(request["ModelName"]),
            "DeleteModel": self.delete,
            "ListModels": self.list,
        }

    def create(self, request: dict[str, Any]) -> Record:
        """Keeps a model; SageMaker looks at its archive only when an endpoint starts, and so do we."""
        name = request["ModelName"]
        if not request.get("PrimaryContainer") and len(request.get("Containers", [])) != 1:
            raise validation_error(
                "The embedded cloud runs models of one container: pass PrimaryContainer (or one "
                "entry in Containers)."
            )
        now = time.time()
        record = {**request, "ModelArn": _ARN.format(name=name), "CreationTime": now}
        return self.store.add(name, record)

    def delete(self, request: dict[str, Any]) -> Record:
        """Forgets a model; endpoints that run it keep running, as on AWS."""
        self.store.remove(request["ModelName"])
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of models, newest first."""
        return page_of(self.store.all(), request, member="Models", name_key="ModelName", descending=True)


def container_of(model: Record) -> dict[str, Any]:
    """The model's one container definition."""
    return model.get("PrimaryContainer") or model["Containers"][0]
