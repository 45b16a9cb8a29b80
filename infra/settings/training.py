"""Settings of the training and tuning jobs."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from infra.settings.section import InstanceType, Section


class Training(Section):
    """The tuning job and what each of its training jobs runs on."""

    instance_type: InstanceType = Field("ml.g5.xlarge", description="training instance type")
    instance_count: int = Field(1, ge=1, le=16, description="instances of one training job")
    volume_gib: int = Field(100, ge=1, le=16_384, description="disk of a training instance, GiB")
    image_tag: str = Field(
        "2.14-{accelerator}-amzn2023-sagemaker",
        description="tag of AWS's `pytorch` Deep Learning Container; {accelerator} becomes cpu or cu133",
    )
    max_runtime_seconds: int = Field(
        6 * 3600, ge=60, le=28 * 86_400, description="a training job is stopped after this, seconds"
    )
    spot: bool = Field(True, description="managed spot training, with checkpoints")
    max_wait_seconds: int = Field(
        24 * 3600, ge=60, le=28 * 86_400, description="with spot: run time plus waiting, seconds"
    )
    max_jobs: int = Field(8, ge=1, le=500, description="training jobs of one tuning job")
    max_parallel_jobs: int = Field(2, ge=1, le=100, description="training jobs at a time")
    strategy: Literal["Bayesian", "Random"] = Field("Bayesian", description="how the next trial is chosen")
    arch: Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"] = Field(
        "resnet50", description="torchvision architecture"
    )
    image_size: int = Field(224, ge=32, le=512, description="side of the model's square input, pixels")
    pretrained: Literal["auto", "none"] = Field(
        "auto", description="auto: weights channel, else download; none: from scratch"
    )
    weights_uri: str = Field(
        "",
        pattern=r"^(s3://.+)?$",
        description="S3 prefix with <arch>.pth for the weights channel; empty: no channel",
    )
    max_count: int = Field(5, ge=1, le=50, description="largest count with a class of its own")
    epochs: tuple[int, int] = Field((8, 24), description="range of epochs")
    batch_sizes: tuple[int, ...] = Field(
        (32, 64, 128), min_length=1, description="batch sizes to choose from"
    )
    learning_rate: tuple[float, float] = Field((1e-4, 3e-3), description="range of the peak learning rate")
    fixed: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="further flags of training/train.py, the same for every trial"
    )

    @field_validator("epochs", "learning_rate")
    @classmethod
    def _is_range(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < value[1]:
            raise ValueError(f"a range [low, high] with 0 < low < high is expected, got {list(value)}")
        return value

    @field_validator("batch_sizes")
    @classmethod
    def _are_batch_sizes(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= size <= 4096 for size in value):
            raise ValueError(f"batch sizes from 1 to 4096 are expected, got {list(value)}")
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> "Training":
        faults: list[str] = []
        if self.spot and self.max_wait_seconds < self.max_runtime_seconds:
            faults.append("max_wait_seconds must be at least max_runtime_seconds (SageMaker refuses less)")
        if self.max_parallel_jobs > self.max_jobs:
            faults.append("max_parallel_jobs must not exceed max_jobs")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def has_gpu(self) -> bool:
        """True for SageMaker's accelerated instance families (g and p)."""
        return self.instance_type.split(".")[1][0] in "gp"
