"""Heads that know that counts are ordered: their losses and distributions, by numbers worked out by hand."""

import math

import numpy as np
import openvino as ov
import pytest
import torch

from bintrain.engine.heads import build_head, build_loss, corn_loss, squared_emd
from bintrain.engine.network import build_network
from bintrain.errors import TrainingError
from bintrain.export.openvino_model import convert_network
from bintrain.flags import parse_call
from bintrain.settings import Settings

HEADS = ("soft", "emd", "corn", "binomial")


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_corn_s_thresholds_multiply_to_probabilities_of_counts() -> None:
    a, b = (
        _sigmoid(0.4),
        _sigmoid(-1.2),
    )  # P(more than the first), P(more than the second | more than the first)

    probabilities = build_head("corn", classes=3).counting(torch.tensor([[0.4, -1.2]])).softmax(1)

    assert probabilities[0].tolist() == pytest.approx([1 - a, a * (1 - b), a * b])


def test_corn_s_loss_is_the_mean_over_the_conditional_sets() -> None:
    raw = torch.tensor([[0.4, -1.2], [1.0, 0.3], [-0.5, 2.0]])
    labels = torch.tensor([0, 1, 2])
    # Shi, Cao, Raschka 2021, eq. 5: the first threshold has all three images, the second those above class 0.
    first = -math.log(1 - _sigmoid(0.4)) - math.log(_sigmoid(1.0)) - math.log(_sigmoid(-0.5))
    second = -math.log(1 - _sigmoid(0.3)) - math.log(_sigmoid(2.0))

    loss = corn_loss(build_head("corn", classes=3).counting(raw), labels)

    assert loss.item() == pytest.approx((first + second) / 5)


def test_the_earth_mover_s_distance_grows_with_how_far_the_mass_lies() -> None:
    sure = torch.eye(4) * 100
    target = torch.eye(4)[[0]]
    found = [squared_emd(sure[[k]], target).item() for k in range(4)]
    # On a line, unit mass moved by k passes k thresholds.
    assert found == pytest.approx([0, 1, 2, 3], abs=1e-6)


def test_a_binomial_head_gives_a_binomial_and_always_one_peak() -> None:
    counting = build_head("binomial", classes=6).counting
    rate, plain = 0.3, math.log(math.e - 1) - 1  # softplus(plain + 1) is 1: no sharpening

    raw = torch.tensor([[math.log(rate / (1 - rate)), plain]])
    expected = [math.comb(5, k) * rate**k * (1 - rate) ** (5 - k) for k in range(6)]
    assert counting(raw).softmax(1)[0].tolist() == pytest.approx(expected, abs=1e-6)

    drawn = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * 3
    rises = counting(drawn).diff(dim=1) > 0
    assert not (rises[:, 1:] & ~rises[:, :-1]).any(), "no rise after a fall"


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("classes", [2, 6])
def test_a_head_alone_learns_any_count(head: str, classes: int) -> None:
    made, targets = build_head(head, classes=classes), torch.eye(classes)
    loss, labels = build_loss(head, targets=targets), torch.arange(classes)
    raw = torch.zeros(classes, made.outputs, requires_grad=True)
    optimiser = torch.optim.Adam([raw], lr=0.3)
    for _ in range(200):
        optimiser.zero_grad()
        loss(made.counting(raw), labels).backward()
        optimiser.step()
    assert made.counting(raw).argmax(1).tolist() == labels.tolist()


@pytest.mark.parametrize("head", HEADS)
def test_extreme_outputs_give_finite_logits_and_gradients(head: str) -> None:
    made = build_head(head, classes=6)
    raw = torch.tensor([[1e4] * made.outputs, [-1e4] * made.outputs], requires_grad=True)
    loss = build_loss(head, targets=torch.eye(6))(made.counting(raw), torch.tensor([0, 5]))
    loss.backward()
    assert torch.isfinite(loss) and raw.grad is not None and torch.isfinite(raw.grad).all()


@pytest.mark.parametrize("head", HEADS)
def test_a_head_is_exported_with_the_network(head: str) -> None:
    settings = Settings(arch="resnet18", image_size=32, pretrained="none", head=head)
    torch.manual_seed(0)
    network = build_network(settings=settings, classes=6, weights=None).eval()
    images = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)
    with torch.inference_mode():
        expected = network(images.permute(0, 3, 1, 2).float() / 255).numpy()

    model = convert_network(network, size=32)

    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert compiled({"image": images.numpy()})["logits"] == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected) > 0 and expected.shape == (3, 6)


def test_an_adjustment_for_rare_counts_is_refused_where_it_means_nothing(tmp_path) -> None:
    argv = ["--logit-adjustment", "0.5", "--head", "corn"]
    with pytest.raises(TrainingError, match="--head: takes no --logit-adjustment"):
        parse_call(argv, env={})
