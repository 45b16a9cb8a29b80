"""Networks by name, from torchvision and timm, with a new last layer and what they normalise with.

A weights file may be the library's own, or the weights.pt of an earlier job: everything but the last layer
is taken from it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
import torchvision
from torch import nn
from torchvision.models.vision_transformer import interpolate_embeddings

from bintrain.engine.weights import State, load_weights, packaged_state
from bintrain.errors import TrainingError
from bintrain.networks import LITE, TORCHVISION
from bintrain.settings import Settings

Channels = tuple[float, float, float]
IMAGENET_CLASSES = 1000
LITE_MEAN: Channels = (127 / 255, 127 / 255, 127 / 255)
LITE_STD: Channels = (128 / 255, 128 / 255, 128 / 255)
"""What EfficientNet-Lite's weights expect (its authors' preprocessing)."""
RESIDUAL = ("resnet", "resnext", "wide_resnet")


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """Float images [N, 3, H, W], normalised by `mean` and `std` (for values of 0 to 1), -> [N, outputs].

    `head` are the names of the new last layer, as beginnings of the names of its parameters.
    """

    network: nn.Module
    head: tuple[str, ...]
    mean: Channels
    std: Channels


def build_backbone(*, settings: Settings, outputs: int, weights: Path | None) -> Backbone:
    """A fresh network with `outputs` outputs; ImageNet weights unless `settings.pretrained` is none.

    `weights` is the folder of the weights channel, or None. Raises TrainingError for a network that does not
    exist or does not take images of this size, and for weights that can neither be read nor fetched.
    """
    build = _from_torchvision if settings.arch in TORCHVISION else _from_timm
    try:
        backbone = build(settings, outputs, weights)
        check_size(backbone.network, size=settings.image_size)
    # What a constructor has against a size, and a layer that finds nothing left of a small image.
    except (ValueError, AssertionError, RuntimeError, IndexError) as error:
        side, reason = settings.image_size, " ".join(str(error).split())[:300]
        raise TrainingError(
            f"--arch {settings.arch} takes no images of {side} x {side} pixels ({reason}); choose another "
            "--image-size"
        ) from error
    return backbone


def check_size(network: nn.Module, *, size: int) -> None:
    """Let one image of that size pass; raises what the network raises."""
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, size, size))


def _from_torchvision(settings: Settings, outputs: int, weights: Path | None) -> Backbone:
    arch, size = settings.arch, settings.image_size
    network = torchvision.models.get_model(arch, weights=None, **_options(settings))
    head = _last_layer(network)
    best = torchvision.models.get_model_weights(arch)["DEFAULT"]  # pyright: ignore[reportUnknownMemberType]

    def use(state: State) -> None:
        if arch.startswith("vit_"):
            state = dict(interpolate_embeddings(size, cast(Any, network).patch_size, cast(Any, state)))
        _take(network, state, head=head)

    if settings.pretrained != "none":
        fetch = partial(best.get_state_dict, progress=False, check_hash=True)
        load_weights(use, arch=arch, folder=weights, elsewhere=lambda: dict(fetch()))
    _replace(network, head, outputs=outputs, dropout=settings.dropout)
    expected = best.transforms()
    return Backbone(network=network, head=(head + ".",), mean=tuple(expected.mean), std=tuple(expected.std))


def _options(settings: Settings) -> dict[str, Any]:
    arch, size = settings.arch, settings.image_size
    if arch.startswith(RESIDUAL):
        # With a zero last gamma each residual block starts as the identity, and a net without learned weights
        # learns from the first steps (Goyal et al. 2017, arXiv 1706.02677, 5.1).
        return {"zero_init_residual": settings.pretrained == "none"}
    if arch in ("googlenet", "inception_v3"):
        # Their weights expect another range, which the networks make of ImageNet's themselves.
        return {"aux_logits": False, "transform_input": True, "init_weights": settings.pretrained == "none"}
    if arch.startswith("vit_"):
        return {"image_size": size}
    return {"input_size": (size, size)} if arch == "maxvit_t" else {}


def _last_layer(network: nn.Module) -> str:
    # What it is called differs from family to family.
    modules = cast("Iterable[tuple[str, nn.Module]]", network.named_modules())
    return [
        name
        for name, module in modules
        if IMAGENET_CLASSES in (getattr(module, "out_features", None), getattr(module, "out_channels", None))
    ][-1]


def _replace(network: nn.Module, path: str, *, outputs: int, dropout: float) -> None:
    above, _, leaf = path.rpartition(".")
    parent, old = network.get_submodule(above), network.get_submodule(path)
    if isinstance(old, nn.Conv2d):  # SqueezeNet
        new = nn.Conv2d(old.in_channels, outputs, kernel_size=1)
    else:
        new = nn.Linear(cast(nn.Linear, old).in_features, outputs)
    own = [child for child in parent.children() if isinstance(child, nn.Dropout)]
    for layer in own[-1:]:
        layer.p = dropout
    parent.add_module(leaf, new if own else nn.Sequential(nn.Dropout(dropout), new))


def _take(network: nn.Module, state: State, *, head: str) -> None:
    own = network.state_dict()
    # What only trains the original is not there: the auxiliary classifiers of Inception.
    body = {name: value for name, value in state.items() if not name.startswith(("aux", "AuxLogits"))}
    body = {name: value for name, value in body.items() if not name.startswith(head + ".")}
    network.load_state_dict(body | {name: own[name] for name in own if name.startswith(head + ".")})


def _from_timm(settings: Settings, outputs: int, weights: Path | None) -> Backbone:
    # Imported here: it takes seconds, and the other networks do without.
    timm: Any = importlib.import_module("timm")
    arch = settings.arch
    name = LITE.get(arch) or arch.removeprefix("timm:")
    if not timm.is_model(name):
        family = name.split("_")[0].rstrip("0123456789")
        known = timm.list_models(f"{family}*") or timm.list_models()
        raise TrainingError(
            f"--arch {arch}: timm {timm.__version__} has no such model, but {', '.join(known)}"
        )
    create: Callable[..., nn.Module] = partial(
        timm.create_model, name, num_classes=outputs, drop_rate=settings.dropout
    )
    try:
        network = create(img_size=settings.image_size)
        create = partial(create, img_size=settings.image_size)
    except TypeError:  # most take any size, and no such argument
        network = create()
    expected = cast("dict[str, Any]", network.pretrained_cfg)
    named = expected["classifier"]
    head = (named,) if isinstance(named, str) else tuple(named)
    made: list[nn.Module] = [network]

    def use(state: State) -> None:
        if arch in LITE:
            _take(network, _as_timm_names(state, network), head=head[0])
        else:  # timm's own way also brings position embeddings to this size
            made[0] = create(pretrained=True, pretrained_cfg_overlay={"state_dict": state})

    if settings.pretrained != "none":
        if arch in LITE:
            load_weights(use, arch=arch, folder=weights, elsewhere=lambda: packaged_state(arch))
        else:
            load_weights(
                use, arch=arch, folder=weights, elsewhere=lambda: create(pretrained=True).state_dict()
            )
    mean, std = (LITE_MEAN, LITE_STD) if arch in LITE else (tuple(expected["mean"]), tuple(expected["std"]))
    return Backbone(network=made[0], head=tuple(f"{name}." for name in head), mean=mean, std=std)


def _as_timm_names(state: State, network: nn.Module) -> State:
    """PyPI's package names the layers otherwise than timm, and has them in the same order."""
    if "_conv_stem.weight" not in state:
        return state
    return dict(zip(network.state_dict(), state.values(), strict=True))
