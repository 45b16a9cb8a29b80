"""What numbers a device computes with."""

from __future__ import annotations

import torch

from bintrain.settings import Machine


def autocast_type(machine: Machine, *, device: torch.device) -> torch.dtype | None:
    """What `device` computes in under autocast; None for FP32 throughout.

    A CPU computes in bf16 where it has units for it (Intel's AMX: a training step of ResNet50 takes 0.4 of
    FP32's time, benchmarks/training.py) or where it is asked for, never in fp16, which would need scaling.
    """
    if machine.amp == "none":
        return None
    if device.type != "cuda":
        wanted = machine.amp == "bf16" or (machine.amp == "auto" and _cpu_multiplies_bf16())
        return torch.bfloat16 if wanted else None
    if machine.amp == "auto":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if machine.amp == "bf16" else torch.float16


def _cpu_multiplies_bf16() -> bool:
    # AVX-512's bf16 instructions alone (amx_tile missing) gain little and are left to --amp bf16.
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_tile") and able.get("amx_bf16"))
