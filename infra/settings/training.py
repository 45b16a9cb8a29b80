"""Settings of the training and tuning jobs."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from infra.settings.instances import INSTANCES, PRICES_OF, Instance
from infra.settings.section import S3_ADDRESS, InstanceType, Section, rule
from infra.training.weights import name_fault, weights_fault

TUNED = ("epochs", "learning-rate", "batch-size")
OWN_FLAGS = (*TUNED, "arch", "head", "answer", "image-size", "pretrained", "max-count")
"""Flags of training/train.py that the pipeline gives itself (infra/training/tuning_job.py)."""


MOST_PARENTS = 5
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}")


class Training(Section):
    """The tuning job and what each of its training jobs runs on."""

    instance_type: InstanceType = Field("ml.g5.xlarge", description="training instance type")
    instance_count: int = Field(1, ge=1, le=16, description="instances of one training job")
    volume_gib: int = Field(100, ge=1, le=16_384, description="disk of a training instance, GiB")
    image_tag: str = Field(
        "2.14-{accelerator}-amzn2023-sagemaker",
        pattern=r"^[A-Za-z0-9_.-]*(\{accelerator\})?[A-Za-z0-9_.-]*$",
        min_length=1,
        description="tag of AWS's `pytorch` Deep Learning Container; {accelerator} becomes cpu or cu133",
    )
    max_runtime_seconds: int = Field(
        6 * 3600, ge=60, le=28 * 86_400, description="a training job is stopped after this, seconds"
    )
    spot: bool = Field(True, description="managed spot training, with checkpoints")
    max_wait_seconds: int = Field(
        24 * 3600, ge=60, le=28 * 86_400, description="with spot: run time plus waiting, seconds"
    )
    retry_attempts: int = Field(
        3, ge=1, le=30, description="a job that AWS's own fault ended is started again this often"
    )
    usd_per_hour: float | None = Field(
        None, ge=0, le=1000, description="price of an instance hour, US dollars; null: list price, if known"
    )
    max_cost_usd: float = Field(
        250, gt=0, le=1_000_000, description="synth rejects a tuning job that could cost more, US dollars"
    )
    network_isolation: bool = Field(
        False, description="jobs without any network; their wheels travel with their code"
    )
    input_mode: Literal["File", "FastFile"] = Field(
        "File",
        description="how a job gets the dataset: copied to its disk before it starts, or streamed from S3",
    )
    max_jobs: int = Field(8, ge=1, le=500, description="training jobs of one tuning job")
    max_parallel_jobs: int = Field(2, ge=1, le=100, description="training jobs at a time")
    strategy: Literal["Bayesian", "Random"] = Field("Bayesian", description="how the next trial is chosen")
    early_stopping: bool = Field(
        True, description="with Bayesian: SageMaker stops a trial that becomes no better than the others"
    )
    warm_start: str | tuple[str, ...] = Field(
        "off",
        description="what the tuning job learns from: off; last: the pipeline's last completed tuning job; "
        "or names of up to 5 tuning jobs",
    )
    arch: str = Field(
        "resnet50",
        description="classification network: torchvision's, efficientnet_lite0, 1 or 2, or timm:<model>",
    )
    head: Literal["soft", "emd", "corn", "binomial"] = Field(
        "soft", description="how the head learns that counts are ordered (docs/training.md)"
    )
    answer: Literal["most_probable", "median"] = Field(
        "median", description="which count the probabilities give: the likeliest one, or their median"
    )
    image_size: int = Field(224, ge=32, le=512, description="side of the model's square input, pixels")
    pretrained: Literal["auto", "none"] = Field(
        "auto", description="auto: ImageNet weights, staged in the bucket; none: from scratch"
    )
    weights_uri: str = Field(
        "",
        pattern=rf"^({S3_ADDRESS})?$",
        description="S3 prefix with an <arch>.pth of your own for the weights channel; empty: ImageNet's",
    )
    weights_source: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="address of a mirror with the library's files; empty: the library's own",
    )
    weights_sha256: str = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="digest of another file of that name; empty: the known",
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

    @field_validator("arch")
    @classmethod
    def _is_a_network(cls, value: str) -> str:
        if fault := name_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("warm_start")
    @classmethod
    def _are_parents(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if value in ("off", "last"):
            return value
        names = value if isinstance(value, tuple) else ()
        if not 1 <= len(names) <= MOST_PARENTS or len(set(names)) < len(names):
            raise ValueError(
                f'"off", "last" or a list of 1 to {MOST_PARENTS} names of tuning jobs is expected'
            )
        for name in names:
            if not JOB_NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a tuning job")
        return value

    @field_validator("epochs", "learning_rate")
    @classmethod
    def _is_range(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < value[1]:
            raise ValueError("a range [low, high] with 0 < low < high is expected")
        return value

    @field_validator("batch_sizes")
    @classmethod
    def _are_batch_sizes(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= size <= 4096 for size in value):
            raise ValueError("batch sizes from 1 to 4096 are expected")
        if len(set(value)) < len(value):
            raise ValueError("must differ from one another (SageMaker rejects a choice that is there twice)")
        return value

    @field_validator("fixed")
    @classmethod
    def _are_others_flags(cls, value: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(name for name in value if name in OWN_FLAGS or name.startswith("sagemaker_"))
        if taken:
            raise ValueError(
                f"{', '.join(taken)}: a setting of its own, or the pipeline's, gives it (SageMaker takes no "
                "flag that is fixed and tuned): remove it here"
            )
        return value

    @rule("arch", "pretrained", "weights_uri", "weights_sha256")
    def _has_weights(self) -> str | None:
        return weights_fault(self.arch, sha256=self.weights_sha256) if self.stages_weights else None

    @rule("max_wait_seconds", "max_runtime_seconds")
    def _waits_as_long_as_it_runs(self) -> str | None:
        if not self.spot or self.max_wait_seconds >= self.max_runtime_seconds:
            return None
        return f"must be at least max_runtime_seconds, {self.max_runtime_seconds} (SageMaker rejects less)"

    @rule("max_parallel_jobs", "max_jobs")
    def _starts_no_more_than_it_may(self) -> str | None:
        if self.max_parallel_jobs <= self.max_jobs:
            return None
        return f"must not exceed max_jobs, which is {self.max_jobs}"

    @rule("warm_start", "strategy")
    def _learns_by_a_strategy_that_can(self) -> str | None:
        if not self.starts_warm or self.strategy == "Bayesian":
            return None
        return f"{self.strategy} learns from no trial: set strategy to Bayesian, or warm_start to off"

    @rule("warm_start", "max_jobs")
    def _leaves_room_for_parents(self) -> str | None:
        if not self.starts_warm or self.max_jobs < 500:
            return None
        return "SageMaker takes 500 training jobs, those of parents counted in: lower max_jobs"

    @rule("usd_per_hour", "instance_type")
    def _has_a_price(self) -> str | None:
        if self.price is not None:
            return None
        return (
            f"no price is known for {self.instance_type}: set the US dollars of an hour of one instance, so "
            "that max_cost_usd can be held"
        )

    @rule("max_cost_usd")
    def _costs_no_more_than_it_may(self) -> str | None:
        cost = self.longest_cost_usd
        if cost is None or cost <= self.max_cost_usd:
            return None
        return (
            f"a tuning job could cost {self.cost_summary}: lower max_jobs, max_runtime_seconds or "
            "instance_count, take a cheaper instance_type, or raise max_cost_usd"
        )

    @property
    def stages_weights(self) -> bool:
        """True where ImageNet weights are wanted, which then lie in the stage's bucket."""
        return self.pretrained == "auto" and not self.weights_uri

    @property
    def stops_early(self) -> bool:
        """True where SageMaker ends a trial that is no better than the others."""
        return self.early_stopping and self.strategy == "Bayesian"

    @property
    def starts_warm(self) -> bool:
        """True where the tuning job learns from earlier ones."""
        return self.warm_start != "off"

    @property
    def price(self) -> float | None:
        """US dollars for an hour of one instance: as set, else by the table; None where neither knows it."""
        return self._instance.usd_per_hour if self.usd_per_hour is None else self.usd_per_hour

    @property
    def longest_cost_usd(self) -> float | None:
        """The most that a tuning job's instances can cost, US dollars; None where the price is unknown.

        Every trial on demand until it is stopped. Attempts of a job that is retried share its run time (API
        model of StoppingCondition), and spot costs no more than on demand.
        """
        if self.price is None:
            return None
        return self.max_jobs * self.instance_count * self.max_runtime_seconds / 3600 * self.price

    @property
    def cost_summary(self) -> str:
        """The bound with its terms, for people."""
        return f"${self.longest_cost_usd or 0:,.2f} ({self.cost_terms})"

    @property
    def cost_terms(self) -> str:
        """The product behind `longest_cost_usd`, in words."""
        source = f"list price of {PRICES_OF}" if self.usd_per_hour is None else "training.usd_per_hour"
        return (
            f"{self.max_jobs} jobs x {self.instance_count} {self.instance_type} x "
            f"{self.max_runtime_seconds / 3600:g} h x ${self.price:g} an hour, {source}"
        )

    @property
    def is_distributed(self) -> bool:
        """True where a job has more than one process: several instances, or several GPUs in one."""
        return self.instance_count > 1 or self._instance.gpus > 1

    @property
    def _instance(self) -> Instance:
        return INSTANCES.get(self.instance_type, Instance(gpus=int(self.has_gpu), usd_per_hour=None))

    @property
    def has_gpu(self) -> bool:
        """True for SageMaker's accelerated instance families (g and p)."""
        return self.instance_type.split(".")[1][0] in "gp"
