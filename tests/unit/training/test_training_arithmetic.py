"""Mixed precision is for GPUs; which one depends on what they can."""

import pytest
import torch

from bintrain.arithmetic import autocast_type
from bintrain.settings import Machine


@pytest.mark.parametrize("amp", ["auto", "bf16", "fp16", "none"])
def test_the_cpu_computes_in_fp32_whatever_is_asked(amp: str) -> None:
    assert autocast_type(Machine.model_validate({"amp": amp}), device=torch.device("cpu")) is None


@pytest.mark.parametrize(("able", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_takes_bf16_where_it_can(
    monkeypatch: pytest.MonkeyPatch, able: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: able)

    assert autocast_type(Machine(), device=torch.device("cuda")) is expected
    assert autocast_type(Machine(amp="fp16"), device=torch.device("cuda")) is torch.float16
    assert autocast_type(Machine(amp="none"), device=torch.device("cuda")) is None
