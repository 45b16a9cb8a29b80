"""The network that is trained: a backbone behind its own normalisation, with a head that counts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from bintrain.engine.backbones import Backbone, build_backbone
from bintrain.engine.heads import build_head
from bintrain.settings import Settings


class BinCounter(nn.Module):
    """Float images [N, 3, H, W] in 0..1 -> logits over counts [N, C], whatever the head.

    `mean` and `std` [1, 3, 1, 1] are those that the backbone expects; they become part of the exported graph.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, backbone: Backbone, counting: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone.network
        self.counting = counting
        self.heads = tuple(f"backbone.{name}".rstrip(".") for name in backbone.head)
        """Names of the new last layer's modules: one, but for a few networks of timm."""
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise and count."""
        return self.counting(self.backbone((images - self.mean) / self.std))

    def is_head(self, name: str) -> bool:
        """Whether a parameter, or a module, of that name belongs to the new last layer."""
        return f"{name}.".startswith(tuple(f"{head}." for head in self.heads))


class HeadAlone(nn.Module):
    """Features [N, D] -> logits over counts [N, C]: the last layer of a network, which it shares."""

    def __init__(self, *, head: nn.Module, counting: nn.Module) -> None:
        super().__init__()
        self.head = head
        self.counting = counting

    def forward(self, features: Tensor) -> Tensor:
        """Count."""
        return self.counting(self.head(features))

    def is_head(self, name: str) -> bool:
        """Whether a parameter or module of that name belongs to the last layer: each does."""
        return True


def build_network(*, settings: Settings, classes: int, weights: Path | None) -> BinCounter:
    """A fresh network for `classes` counts; ImageNet weights unless `settings.pretrained` is none.

    Raises TrainingError as `build_backbone`.
    """
    head = build_head(settings.head, classes=classes)
    backbone = build_backbone(settings=settings, outputs=head.outputs, weights=weights)
    network = BinCounter(backbone=backbone, counting=head.counting)
    if settings.pretrained != "none":
        start_head(network)
    if settings.freeze_backbone:
        for name, parameter in network.named_parameters():
            parameter.requires_grad = network.is_head(name)
    return network


def start_head(network: BinCounter) -> None:
    """Set the new last layer to zero: every count is as probable as the others before the first step.

    Libraries start it at random. timm's EfficientNets draw from a range made for 1,000 classes, which for six
    gives logits of +-7 and more: the gradients of such errors wash out the learned features before the head
    has learnt anything (benchmarks/README.md, "Recipes").
    """
    for name, parameter in network.named_parameters():
        if network.is_head(name):
            nn.init.zeros_(parameter)


def set_training(network: BinCounter | HeadAlone, *, frozen: bool) -> None:
    """Training mode; a frozen backbone keeps its batch statistics too."""
    network.train(not frozen)
    for name, module in cast("Iterable[tuple[str, nn.Module]]", network.named_modules()):
        if network.is_head(name):
            module.train()
