"""Hyperparameters: each with its default, bounds, unit and meaning."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from bintrain.networks import name_fault


class Settings(BaseModel):
    """What decides the model that comes out, besides the data. The field `batch_size` is flag `--batch-size`.

    The defaults are the recipe that was best on real bins (fine-tuning, Gaussian soft labels, AdamW, cosine).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(default=12, ge=1, le=1000, description="passes over the training images")
    batch_size: int = Field(
        default=64, ge=2, le=4096, description="images in a step, of all processes together"
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="AdamW's peak rate")
    arch: str = Field(
        default="resnet50",
        description="classification network: torchvision's, efficientnet_lite0, 1 or 2, or timm:<model>",
    )
    image_size: int = Field(
        default=224, ge=32, le=1024, description="width and height of the network's input, pixels"
    )
    pretrained: Literal["auto", "none"] = Field(
        default="auto",
        description="auto: ImageNet weights from the weights channel, else the network; none: from scratch",
    )
    max_count: int = Field(default=5, ge=0, le=1000, description="largest count with a class of its own")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="same seed, data and machine: same model")

    weight_decay: float = Field(
        default=0.02, ge=0, le=1, description="AdamW's decay of weights (not of biases and norms)"
    )
    label_sigma: float = Field(
        default=0.7, ge=0, le=5, description="width of the Gaussian soft labels, objects; 0: hard"
    )
    warmup: float = Field(default=0.1, ge=0, le=0.9, description="share of the steps in which the rate rises")
    ema_decay: float = Field(default=0.99, ge=0, lt=1, description="averaging of weights over steps; 0: none")
    dropout: float = Field(default=0.2, ge=0, lt=1, description="share of features dropped before the head")
    clip: float = Field(default=5.0, gt=0, le=1000, description="largest norm of the gradient")
    freeze_backbone: bool = Field(default=False, description="train the head alone, as the seed project did")
    frozen_views: int = Field(
        default=0,
        ge=0,
        le=64,
        description="with a frozen backbone: views of each training image (itself, mirrored, then at random) "
        "whose features are computed once; 0: a new one in each epoch",
    )
    quick_decode: bool = Field(
        default=True,
        description="decode training images the short way, nearly as what is evaluated; False: exactly so",
    )
    logit_adjustment: float = Field(
        default=0.0, ge=0, le=2, description="strength of the adjustment for rare counts; 0: none, 1: full"
    )
    head: Literal["soft", "emd", "corn", "binomial"] = Field(
        default="soft",
        description="how the head knows that counts are ordered: Gaussian soft labels; the earth mover's "
        "distance to them; CORN's conditional thresholds; a binomial distribution",
    )
    patience: int = Field(
        default=8, ge=0, le=1000, description="epochs without a better one before stopping; 0: never"
    )

    precision: Literal["auto", "fp16"] = Field(
        default="auto", description="of the exported model; auto: INT8 where it counts as well, else FP16"
    )
    int8_accuracy_loss: float = Field(
        default=0.005, ge=0, le=1, description="accuracy that INT8 may lose against FP32 on validation, share"
    )
    int8_rmse_growth: float = Field(
        default=0.02,
        ge=0,
        le=100,
        description="growth of the RMSE by INT8 on validation, objects",
    )
    int8_images: int = Field(
        default=300, ge=1, le=100_000, description="training images that calibrate INT8, at most"
    )

    answer: Literal["most_probable", "median"] = Field(
        default="median", description="which count the probabilities give: the likeliest one, or their median"
    )
    target_accuracy: float = Field(
        default=0.9, gt=0, le=1, description="accuracy promised for answers without review"
    )
    coverage: float = Field(
        default=0.9, gt=0, lt=1, description="share of bins whose true count the interval holds"
    )
    false_alarm: float = Field(
        default=0.05, ge=0, lt=1, description="share of right consignments that may be a mismatch"
    )

    @field_validator("arch")
    @classmethod
    def _is_a_network(cls, value: str) -> str:
        if fault := name_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("head")
    @classmethod
    def _goes_with_the_adjustment(cls, value: str, info: ValidationInfo) -> str:
        # A prior is added to logits that are free of one another; thresholds and a binomial's are not.
        if value in ("corn", "binomial") and info.data.get("logit_adjustment"):
            raise ValueError("takes no --logit-adjustment; use the head soft or emd with it, or 0")
        return value


class Machine(BaseModel):
    """Knobs of how the job runs; the model that comes out differs by rounding at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(
        default=0, ge=0, le=128, description="threads of a process that decode; 0: as many as it has CPUs"
    )
    cache_mib: int = Field(
        default=2048,
        ge=0,
        le=1 << 20,
        description="decoded images that a process keeps in memory, at most, MiB",
    )
    checkpoint_minutes: float = Field(
        default=10,
        ge=0,
        le=1440,
        description="minutes between checkpoints, which a kill may cost; 0: one after each epoch",
    )
    amp: Literal["auto", "bf16", "fp16", "none"] = Field(
        default="auto",
        description="arithmetic of training; auto: on a GPU bf16 where it can, else fp16, on a CPU FP32; "
        "none: FP32. bf16 pays on CPUs with AMX for large networks",
    )
    compile: bool = Field(
        default=False, description="torch.compile the network: pays on long jobs, needs a C++ compiler"
    )


def allowed_values(field: FieldInfo) -> str:
    """What a field takes, as a person would say it: `1 to 1000`, `above 0 to 1`, `auto, none`; else empty."""
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        return ", ".join(choices)
    bounds: dict[str, Any] = {}
    for item in field.metadata:
        bounds |= {name: getattr(item, name) for name in ("ge", "gt", "le", "lt") if hasattr(item, name)}
    low = f"above {bounds['gt']}" if "gt" in bounds else str(bounds.get("ge", ""))
    high = f"below {bounds['lt']}" if "lt" in bounds else str(bounds.get("le", ""))
    return " to ".join(bound for bound in (low, high) if bound)
