"""The frontier: what its figures are made of, and that a network with random weights is exported whole."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

import frontier
import frontier_page
from frontier_models import Candidate

from infra.settings.instances import INSTANCES

FOUND = {"handlers": {"cpu_ms": {"reference": 30.0, "INT8": 10.0, "FP16": 20.0}}}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("resnet18", "resnet18@224"),
        ("efficientnet_lite2", "efficientnet_lite2@260"),
        ("efficientnet_lite0@96", "efficientnet_lite0@96"),
    ],
)
def test_a_network_has_the_side_it_was_designed_for(text: str, name: str) -> None:
    assert frontier.full(text) == name == Candidate.parse(text).name


def test_counts_a_core_follow_from_the_time_of_one() -> None:
    assert frontier_page.per_core(FOUND, "INT8") == pytest.approx(100)
    assert frontier_page.times(FOUND) == pytest.approx(3)


def test_a_million_counts_cost_what_the_instance_costs_meanwhile() -> None:
    price = INSTANCES["ml.c7i.large"].usd_per_hour
    assert price is not None
    assert frontier_page.dollars(FOUND, "INT8") == pytest.approx(1_000_000 / 200 / 3600 * price)


@pytest.mark.parametrize("arch", ["resnet18", "mobilenet_v3_large", "convnext_tiny"])
def test_a_network_with_random_weights_has_no_block_that_adds_nothing(arch: str) -> None:
    candidate = Candidate(arch, 64)
    network = candidate.build(candidate.settings())
    scales = [
        module.weight
        for module in network.modules()
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.LayerNorm)
    ]
    assert scales and all(bool((scale != 0).all()) for scale in scales)
