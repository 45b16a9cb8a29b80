"""What numbers a device computes with."""

from __future__ import annotations

import torch

from bintrain.settings import Machine


def autocast_type(machine: Machine, *, device: torch.device) -> torch.dtype | None:
    """What `device` computes in under autocast; None for FP32 throughout, as always on the CPU."""
    if device.type != "cuda" or machine.amp == "none":
        return None
    if machine.amp == "auto":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if machine.amp == "bf16" else torch.float16
