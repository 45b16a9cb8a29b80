"""The settings of a stage: typed, bounded, all faults reported at once.

They stand in `cdk.json` under `context.stages.<stage>`. A single value can be overridden for one run with
its dotted path: `cdk synth -c stage=dev -c training.arch=resnet34`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

StageName = Literal["local", "dev", "prod"]
STAGES: tuple[str, ...] = get_args(StageName)

BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class SettingsError(ValueError):
    """One or more settings are wrong; the text names every one of them and how to mend it."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataPrep(_Section):
    """Where the images come from and how they are arranged."""

    source_bucket: BucketName = Field(
        "aft-vbi-pds", description="bucket with bin-images/ and metadata/ in the public dataset's layout"
    )
    source_prefix: str = Field("", description="key prefix before bin-images/ and metadata/")
    unsigned: bool = Field(True, description="read the source without credentials, as a public bucket allows")
    file_list: str = Field(
        "",
        pattern=r"^(s3://[^/]+/.+)?$",
        description="s3:// address of a file list ({count: [paths]}); empty: `counts` selects",
    )
    counts: tuple[int, int] = Field(
        (0, 5), description="without a file list: the smallest and the largest count that are wanted"
    )
    limit_per_class: int = Field(
        0, ge=0, le=1_000_000, description="at most so many images of each count; 0: no limit"
    )
    validation_share: float = Field(
        0.2, gt=0.0, le=0.5, description="share of the id blocks that is kept for validation"
    )
    memory_mib: int = Field(1024, ge=512, le=10_240, description="memory of the data-preparation Lambda, MiB")
    architecture: Literal["x86_64", "arm64"] = Field(
        "arm64", description="processor of the data-preparation Lambda"
    )
    batch_size: int = Field(100, ge=1, le=1_000, description="images in one Lambda invocation")
    max_concurrency: int = Field(50, ge=1, le=1_000, description="Lambda invocations at a time")

    @field_validator("counts")
    @classmethod
    def _is_range(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= value[0] <= value[1]:
            raise ValueError(f"[low, high] with 0 <= low <= high is expected, got {list(value)}")
        return value

    def request(self) -> dict[str, Any]:
        """The pipeline's own request to data preparation (docs/contracts.md)."""
        source = {
            "bucket": self.source_bucket,
            "prefix": self.source_prefix,
            "unsigned": self.unsigned,
        }
        selection = {"file_list": self.file_list} if self.file_list else {"counts": list(self.counts)}
        limit = {"limit_per_class": self.limit_per_class} if self.limit_per_class else {}
        return {"source": source, **selection, **limit, "validation_share": self.validation_share}


class Training(_Section):
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


class Gate(_Section):
    """What a model must reach on the `report` images before it may be registered."""

    min_accuracy: float = Field(0.35, ge=0.0, le=1.0, description="lowest accuracy")
    max_rmse: float = Field(1.5, gt=0.0, le=100.0, description="highest root mean squared error, objects")
    min_within_one: float = Field(
        0.7, ge=0.0, le=1.0, description="lowest share of answers at most one object off"
    )


class Release(_Section):
    """How an approved model reaches the endpoint."""

    approval: Literal["automatic", "manual"] = Field(
        "manual",
        description="automatic: a gated model is registered as Approved; manual: a person approves it",
    )
    poll_seconds: int = Field(15, ge=1, le=300, description="pause between two looks at the stack, seconds")
    timeout_minutes: int = Field(
        60, ge=5, le=24 * 60, description="a release is given up after this, minutes"
    )


class Serving(_Section):
    """The endpoint."""

    instance_type: InstanceType = Field("ml.c7i.large", description="endpoint instance type")
    min_instances: int = Field(1, ge=1, le=100, description="fewest instances")
    max_instances: int = Field(2, ge=1, le=100, description="most instances")
    invocations_per_instance: int = Field(
        1_500, ge=1, le=1_000_000, description="autoscaling target, invocations per instance and minute"
    )
    scale_in_cooldown_seconds: int = Field(
        300, ge=0, le=3_600, description="pause after removing instances, seconds"
    )
    scale_out_cooldown_seconds: int = Field(
        60, ge=0, le=3_600, description="pause after adding instances, seconds"
    )
    canary_percent: int = Field(
        0, ge=0, le=50, description="share of the fleet that gets a new model first; 0: all at once"
    )
    bake_seconds: int = Field(
        0, ge=0, le=3_600, description="the new fleet is watched this long before the old one ends, seconds"
    )
    base_image: str = Field(
        "public.ecr.aws/docker/library/python:3.13-slim-bookworm",
        pattern=r"^public\.ecr\.aws/",
        description="base of the serving image, from public.ecr.aws; add @sha256:… to pin it",
    )

    @property
    def is_arm(self) -> bool:
        """True for Graviton families (c7g, m8gd, …), whose images are built for arm64."""
        family = self.instance_type.split(".")[1]
        generation = next((i for i, letter in enumerate(family) if letter.isdigit()), len(family))
        return "g" in family[generation + 1 :]

    @model_validator(mode="after")
    def _is_consistent(self) -> "Serving":
        faults: list[str] = []
        if self.min_instances > self.max_instances:
            faults.append("min_instances must not exceed max_instances")
        if self.canary_percent and self.min_instances < 2:
            faults.append("canary_percent needs min_instances of at least 2 (a canary takes one of them)")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Settings(_Section):
    """One stage."""

    stage: StageName = Field(description="name of the stage, from `-c stage=`; not written into cdk.json")
    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region")
    retain_data: bool = Field(True, description="keep the bucket and its objects when the stack is destroyed")
    log_retention_days: Literal[1, 3, 7, 14, 30, 60, 90, 180, 365] = Field(
        30, description="logs are kept this long, days"
    )
    tags: dict[str, str] = Field(default_factory=dict, description="tags on every resource")
    data_prep: DataPrep = Field(default_factory=DataPrep)  # pyright: ignore[reportArgumentType]
    training: Training = Field(default_factory=Training)  # pyright: ignore[reportArgumentType]
    gate: Gate = Field(default_factory=Gate)  # pyright: ignore[reportArgumentType]
    release: Release = Field(default_factory=Release)  # pyright: ignore[reportArgumentType]
    serving: Serving = Field(default_factory=Serving)  # pyright: ignore[reportArgumentType]


def load(lookup: Callable[[str], Any]) -> Settings:
    """The settings of the stage that the CDK context names.

    `lookup` gives a context value by its key, or None. Raises SettingsError with every fault.
    """
    stages = lookup("stages")
    if not isinstance(stages, Mapping):
        raise SettingsError(
            'cdk.json: "context" has no "stages" object: add one with a stage, such as {"dev": {}}'
        )
    stage = lookup("stage")
    known = [name for name in STAGES if name in stages]
    if stage not in known:
        raise SettingsError(f"unknown stage {stage!r}: pass -c stage=NAME with one of {', '.join(known)}")
    values = {**_plain(stages[stage]), "stage": stage}
    _override(values, lookup)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(stage, error)) from None


def _plain(value: Any) -> Any:
    """jsii hands out mappings and sequences of its own; pydantic wants dicts and lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _override(values: dict[str, Any], lookup: Callable[[str], Any]) -> None:
    """Lay values given as `-c section.field=value` over those of the file."""
    for section, field in paths():
        given = lookup(f"{section}.{field}" if section else field)
        if given is None or (not section and field == "stage"):
            continue
        target = values.setdefault(section, {}) if section else values
        target[field] = _plain(_from_command_line(given))


def _from_command_line(given: Any) -> Any:
    """`-c` gives text: lists and objects are written as JSON (`-c 'training.epochs=[2, 4]'`)."""
    if not isinstance(given, str) or not given.startswith(("[", "{")):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given  # the model says what it expected instead


def paths() -> list[tuple[str, str]]:
    """Every setting as (section, field); the section of a top-level setting is ''."""
    found: list[tuple[str, str]] = []
    for name, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, _Section):
            found += [(name, field) for field in kind.model_fields]
        else:
            found.append(("", name))
    return found


def _explain(stage: str, error: ValidationError) -> str:
    lines = [f"cdk.json: {error.error_count()} wrong setting(s) of stage {stage!r}:"]
    for fault in error.errors(include_url=False):
        path = ".".join(str(part) for part in fault["loc"]) or "(the stage)"
        if fault["type"] == "extra_forbidden":
            lines.append(f"  {path}: no such setting: remove it or mend its name")
        elif fault["type"] == "missing":
            lines.append(f"  {path}: is missing: add it")
        else:
            lines.append(f"  {path}: {fault['msg']} (got {fault['input']!r})")
    return "\n".join(lines)


if __name__ == "__main__":
    from infra.settings_reference import reference

    print(reference())
