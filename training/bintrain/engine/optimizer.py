"""AdamW with a warmup and a cosine, and the average of the weights over steps."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn

from bintrain.engine.network import BinCounter, HeadAlone
from bintrain.settings import Settings

HEAD_RATE = 2.0
"""A new head on learned features takes twice the rate (the measured recipe)."""


def build_optimiser(network: BinCounter | HeadAlone, *, settings: Settings) -> AdamW:
    """AdamW; biases and norms are not decayed, a head on pretrained features learns faster."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            head = settings.pretrained != "none" and network.is_head(name)
            decay = settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((HEAD_RATE if head else 1.0, decay), []).append(parameter)
    return AdamW(
        [
            {"params": parameters, "lr": settings.learning_rate * rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def build_schedule(optimiser: AdamW, *, steps: int, warmup: float) -> LambdaLR:
    """A factor of the peak rate per step: a straight rise over `warmup * steps`, then half a cosine to 0."""
    rise = max(1, round(steps * warmup))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

    return LambdaLR(optimiser, factor)


def build_ema(network: nn.Module, *, decay: float) -> AveragedModel:
    """The exponential moving average of weights and batch statistics.

    Early on the decay is (1 + n) / (10 + n) after n steps, so that the random start is soon forgotten.
    """

    def average(averages: PARAM_LIST, current: PARAM_LIST, seen: Tensor | int) -> None:
        n = float(seen)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averages, current, seen)

    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)
