"""The network: a torchvision ResNet with a counting head, behind its own normalisation."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import cast

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import ResNet

from bintrain.errors import TrainingError
from bintrain.settings import Settings

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's channel statistics, which torchvision's weights expect."""


class BinCounter(nn.Module):
    """Float images [N, 3, H, W] in 0..1 -> logits [N, C]."""

    mean: Tensor
    std: Tensor

    def __init__(self, *, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise and count."""
        return self.backbone((images - self.mean) / self.std)


def build_network(*, settings: Settings, classes: int, weights: Path | None) -> BinCounter:
    """A fresh network with `classes` outputs; ImageNet weights unless `settings.pretrained` is none.

    Raises TrainingError when weights are wanted and can neither be read nor downloaded.
    """
    scratch = settings.pretrained == "none"
    # With a zero last gamma each residual block starts as the identity, and a net without learned weights
    # learns from the first steps (Goyal et al. 2017, arXiv 1706.02677, 5.1).
    backbone = cast(
        ResNet, torchvision.models.get_model(settings.arch, weights=None, zero_init_residual=scratch)
    )
    if not scratch:
        _load_pretrained(backbone, arch=settings.arch, folder=weights)
    features = backbone.fc.in_features
    head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(features, classes))
    backbone.add_module("fc", head)
    if settings.freeze_backbone:
        for name, parameter in backbone.named_parameters():
            parameter.requires_grad = name.startswith("fc.")
    return BinCounter(backbone=backbone)


def set_training(network: BinCounter, *, frozen: bool) -> None:
    """Training mode; a frozen backbone keeps its batch statistics too."""
    network.train(not frozen)
    network.backbone.get_submodule("fc").train()


def _load_pretrained(backbone: nn.Module, *, arch: str, folder: Path | None) -> None:
    path = folder / f"{arch}.pth" if folder else None
    if path is None or not path.is_file():
        _load_all_but_head(backbone, _download(arch, missing=path or "a weights channel"))
        return
    try:
        _load_all_but_head(backbone, torch.load(path, map_location="cpu", weights_only=True))
    # A file that holds no weights makes the unpickler raise anything: whatever it is, the file is at fault.
    except Exception as error:
        reason = f"{type(error).__name__} {' '.join(str(error).split())[:200]}"
        raise TrainingError(f"{path} is not torchvision's state dict of a {arch} ({reason})") from error


def _load_all_but_head(backbone: nn.Module, state: dict[str, Tensor]) -> None:
    # The head is a new one anyway: so both torchvision's weights and a weights.pt of this job will do.
    head = {name: value for name, value in backbone.state_dict().items() if name.startswith("fc.")}
    body = {name: value for name, value in state.items() if not name.startswith("fc.")}
    backbone.load_state_dict(body | head)


def _download(arch: str, *, missing: Path | str) -> dict[str, Tensor]:
    weights = torchvision.models.get_model_weights(arch)["DEFAULT"]  # pyright: ignore[reportUnknownMemberType]
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    # No route, no name, a proxy's error; a broken transfer; another file than the expected one.
    except (OSError, http.client.HTTPException, RuntimeError) as error:
        raise TrainingError(
            f"no ImageNet weights for {arch}: {missing} is missing and the download failed ({error}). "
            f"Put {arch}.pth into the weights channel, or train from scratch with --pretrained none"
        ) from error
