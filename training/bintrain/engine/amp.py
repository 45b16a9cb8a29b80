"""The number format that a device computes in (automatic mixed precision)."""

from __future__ import annotations

import torch

from bintrain.settings import Machine


def amp_dtype(machine: Machine, *, device: torch.device) -> torch.dtype | None:
    """The dtype that `device` computes in under autocast; None for FP32 throughout.

    A CPU computes in bf16 only by the flag: with AMX a step of ResNet50 at 224 px takes 0.4 of FP32's
    time (benchmarks/training.py), but one of ResNet18 at 64 px took ten times as long beside other work.
    Never in fp16, which would need scaling.
    """
    if machine.amp == "none":
        return None
    if device.type != "cuda":
        return torch.bfloat16 if machine.amp == "bf16" else None
    if machine.amp == "auto":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if machine.amp == "bf16" else torch.float16


def autocast(machine: Machine, *, device: torch.device) -> torch.autocast:
    """The context in which a network computes on `device`."""
    dtype = amp_dtype(machine, device=device)
    return torch.autocast(device.type, dtype=dtype, enabled=dtype is not None)
