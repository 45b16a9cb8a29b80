"""Which precision is mixed in depends on what the device can."""

import pytest
import torch

from bintrain.engine.amp import amp_dtype
from bintrain.settings import Machine


@pytest.mark.parametrize(
    ("amp", "expected"), [("auto", None), ("bf16", torch.bfloat16), ("fp16", None), ("none", None)]
)
def test_a_cpu_computes_in_fp32_without_the_bf16_flag(amp: str, expected: torch.dtype | None) -> None:
    assert amp_dtype(Machine.model_validate({"amp": amp}), device=torch.device("cpu")) is expected


@pytest.mark.parametrize(("able", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_takes_bf16_where_it_can(
    monkeypatch: pytest.MonkeyPatch, able: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: able)

    assert amp_dtype(Machine(), device=torch.device("cuda")) is expected
    assert amp_dtype(Machine(amp="fp16"), device=torch.device("cuda")) is torch.float16
    assert amp_dtype(Machine(amp="none"), device=torch.device("cuda")) is None
