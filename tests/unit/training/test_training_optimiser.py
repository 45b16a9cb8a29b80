"""The schedule, the average of weights, and what is trained at which rate."""

import pytest
import torch
from torch import nn

from bintrain.engine.network import build_network, set_training
from bintrain.engine.optimizer import build_ema, build_optimiser, build_schedule
from bintrain.settings import Settings

SCRATCH = Settings(arch="resnet18", pretrained="none", image_size=32)


def test_the_rate_rises_then_falls_along_a_cosine_to_nothing() -> None:
    optimiser = torch.optim.AdamW([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = build_schedule(optimiser, steps=10, warmup=0.2)
    rates = []
    for _ in range(10):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()

    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[6] == pytest.approx(0.5)
    assert rates == sorted(rates[:2]) + sorted(rates[2:], reverse=True)
    assert schedule.get_last_lr()[0] == pytest.approx(0.0)


def test_the_average_forgets_its_start_soon_and_then_keeps_to_its_decay() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = build_ema(network, decay=0.5)
    expected = None
    for n, value in enumerate([4.0, 8.0, 8.0]):
        nn.init.constant_(network.weight, value)
        average.update_parameters(network)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = value if expected is None else decay * expected + (1 - decay) * value

    assert average.module.weight.item() == pytest.approx(expected)


def test_biases_and_norms_are_not_decayed() -> None:
    network = build_network(settings=SCRATCH, classes=3, weights=None)
    groups = build_optimiser(network, settings=SCRATCH).param_groups

    decays = {group["weight_decay"]: {p.ndim > 1 for p in group["params"]} for group in groups}
    assert decays == {SCRATCH.weight_decay: {True}, 0.0: {False}}
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_a_frozen_backbone_trains_the_head_alone_and_keeps_its_statistics() -> None:
    settings = SCRATCH.model_copy(update={"freeze_backbone": True})
    network = build_network(settings=settings, classes=3, weights=None)
    set_training(network, frozen=True)

    trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert trained == ["backbone.fc.1.weight", "backbone.fc.1.bias"]
    assert network.backbone.get_submodule("fc").training
    assert not network.backbone.get_submodule("bn1").training
