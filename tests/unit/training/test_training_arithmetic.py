"""Which precision is mixed in depends on what the device can."""

import pytest
import torch

from bintrain.arithmetic import autocast_type
from bintrain.settings import Machine


@pytest.mark.parametrize(
    ("amp", "able", "expected"),
    [
        ("auto", {"amx_tile": True, "amx_bf16": True}, torch.bfloat16),
        ("auto", {"amx_tile": False, "amx_bf16": False, "avx512_bf16": True}, None),
        ("auto", {}, None),  # another kind of processor tells other things
        ("bf16", {}, torch.bfloat16),
        ("fp16", {"amx_tile": True, "amx_bf16": True}, None),
        ("none", {"amx_tile": True, "amx_bf16": True}, None),
    ],
)
def test_a_cpu_takes_bf16_where_it_has_units_for_it_or_is_told_to(
    monkeypatch: pytest.MonkeyPatch, amp: str, able: dict[str, bool], expected: torch.dtype | None
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: able)

    assert autocast_type(Machine.model_validate({"amp": amp}), device=torch.device("cpu")) is expected


def test_this_machine_can_be_asked() -> None:
    assert autocast_type(Machine(), device=torch.device("cpu")) in (torch.bfloat16, None)


@pytest.mark.parametrize(("able", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_takes_bf16_where_it_can(
    monkeypatch: pytest.MonkeyPatch, able: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda: able)

    assert autocast_type(Machine(), device=torch.device("cuda")) is expected
    assert autocast_type(Machine(amp="fp16"), device=torch.device("cuda")) is torch.float16
    assert autocast_type(Machine(amp="none"), device=torch.device("cuda")) is None
