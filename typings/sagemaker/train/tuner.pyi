from collections.abc import Mapping
from typing import Any

from sagemaker.core.parameter import ParameterRange
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import InputData

class HyperparameterTuner:
    model_trainer: ModelTrainer
    def __init__(
        self,
        model_trainer: ModelTrainer,
        objective_metric_name: str,
        hyperparameter_ranges: Mapping[str, ParameterRange],
        metric_definitions: list[dict[str, str]] | None = None,
        strategy: str = "Bayesian",
        objective_type: str = "Maximize",
        max_jobs: int | None = None,
        max_parallel_jobs: int = 1,
        *,
        early_stopping_type: str = "Off",
    ) -> None: ...
    def tune(
        self, inputs: list[InputData] | None = None, job_name: str | None = None, *, wait: bool = True
    ) -> None: ...
    def _build_training_job_definition(self, inputs: Any) -> Any: ...
