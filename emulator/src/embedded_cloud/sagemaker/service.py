"""The SageMaker control plane as one object."""

import logging
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.endpoint_configs import EndpointConfigs
from embedded_cloud.sagemaker.endpoints import Endpoints
from embedded_cloud.sagemaker.processing_jobs import ProcessingJobs
from embedded_cloud.sagemaker.registry.model_cards import ModelCards
from embedded_cloud.sagemaker.registry.model_package_groups import ModelPackageGroups
from embedded_cloud.sagemaker.registry.model_packages import ModelPackages, PublishEvent
from embedded_cloud.sagemaker.registry.models import Models
from embedded_cloud.sagemaker.shapes import shapes_of
from embedded_cloud.sagemaker.store import Operations
from embedded_cloud.sagemaker.tags import Tags
from embedded_cloud.sagemaker.training_jobs import TrainingJobs
from embedded_cloud.sagemaker.transform_jobs import TransformJobs
from embedded_cloud.sagemaker.tuning.jobs import TuningJobs
from embedded_cloud.settings import Settings

_LOG = logging.getLogger("embedded_cloud.sagemaker")


class SageMaker:
    """All operations of SageMaker that the embedded cloud has.

    `publish_event` takes one EventBridge entry (Source, DetailType, Detail as a dict, Resources).
    """

    def __init__(self, *, settings: Settings, aws: Aws, publish_event: PublishEvent) -> None:
        self.tags = Tags()
        self.training_jobs = TrainingJobs(settings=settings, aws=aws)
        self.tuning_jobs = TuningJobs(training_jobs=self.training_jobs, tags=self.tags)
        self.processing_jobs = ProcessingJobs(settings=settings, aws=aws)
        self.models = Models()
        self.transform_jobs = TransformJobs(settings=settings, aws=aws, models=self.models)
        self.endpoint_configs = EndpointConfigs(models=self.models)
        self.endpoints = Endpoints(
            settings=settings, aws=aws, models=self.models, configs=self.endpoint_configs
        )
        self.model_package_groups = ModelPackageGroups()
        self.model_packages = ModelPackages(groups=self.model_package_groups, publish_event=publish_event)
        self.model_cards = ModelCards()
        self._operations: Operations = {}
        for part in (
            self.tags,
            self.training_jobs,
            self.tuning_jobs,
            self.processing_jobs,
            self.models,
            self.transform_jobs,
            self.endpoint_configs,
            self.endpoints,
            self.model_package_groups,
            self.model_packages,
            self.model_cards,
        ):
            self._operations.update(part.operations)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Does one operation as the wire would: checked request in, answer of the operation's shape out.

        Raises AwsError for what AWS would refuse, and UnknownOperationException for what only AWS has.
        """
        shapes = shapes_of("sagemaker")
        if operation not in self._operations:
            known = (
                "exists in AWS but not in the embedded cloud"
                if shapes.operation_exists(operation)
                else "is unknown"
            )
            raise AwsError("UnknownOperationException", f"The operation {operation} {known}.")
        shapes.validate(operation=operation, request=request)
        record = self._operations[operation](request)
        if operation.startswith("Create") and "Tags" in request:
            self.tags.set(record[f"{operation.removeprefix('Create')}Arn"], request["Tags"])
        _LOG.debug("%s done", operation)
        return shapes.answer(operation=operation, record=record)

    def close(self) -> None:
        """Ends every job and every server."""
        self.tuning_jobs.close()
        self.training_jobs.close()
        self.transform_jobs.close()
        self.processing_jobs.close()
        self.endpoints.close()
