from collections.abc import Mapping, Sequence
from typing import Any, Self

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.shapes import CheckpointConfig, MetricDefinition, OutputDataConfig, Tag
from sagemaker.train.configs import (
    Compute,
    InputData,
    Networking,
    RetryStrategy,
    SourceCode,
    StoppingCondition,
)
from sagemaker.train.distributed import Torchrun

class ModelTrainer:
    networking: Networking
    compute: Compute
    _latest_training_job: Any
    def __init__(
        self,
        *,
        sagemaker_session: Session | None = None,
        role: str | None = None,
        base_job_name: str | None = None,
        source_code: SourceCode | None = None,
        distributed: Torchrun | None = None,
        compute: Compute | None = None,
        networking: Networking | None = None,
        stopping_condition: StoppingCondition | None = None,
        training_image: str | None = None,
        output_data_config: OutputDataConfig | None = None,
        checkpoint_config: CheckpointConfig | None = None,
        environment: Mapping[str, str] = ...,
        tags: Sequence[Tag] = ...,
        hyperparameters: Mapping[str, Any] = ...,
    ) -> None: ...
    def with_retry_strategy(self, retry_strategy: RetryStrategy) -> Self: ...
    def with_metric_definitions(self, metric_definitions: list[MetricDefinition]) -> Self: ...
    def train(
        self, input_data_config: Sequence[InputData] | None = None, wait: bool = True, logs: bool = True
    ) -> None: ...
