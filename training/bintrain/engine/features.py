"""Features of a frozen backbone, computed once: the head then learns from them at next to no cost.

A frozen backbone says the same about an image in each epoch. So each image passes it `--frozen-views` times
in all, not once an epoch: as it is, as its mirror image, and then changed at random as other training does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import openvino as ov
import torch
from torch import Tensor, nn

from bintrain.data.augment import augment
from bintrain.data.data_loader import Batch
from bintrain.data.sampling import step_seed
from bintrain.engine.network import BinCounter, HeadAlone
from bintrain.engine.resources import usable_cpus
from bintrain.export.openvino_model import convert_module

FLOAT_BYTES = 4

Extractor = Callable[[Tensor], Tensor]
"""Float images [N, 3, H, W] in 0..1 -> float32 features [N, D] on the CPU."""


class _WithoutHead(nn.Module):
    def __init__(self, network: BinCounter) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.backbone((images - self.network.mean) / self.network.std)


def head_of(network: BinCounter, *, size: int) -> tuple[HeadAlone, int] | None:
    """The last layer of `network` with what is behind it, and how many features it takes.

    None where what that layer gives is not what the backbone gives (SqueezeNet), or where there are several:
    such features cannot be told from the rest.
    """
    if len(network.heads) != 1:
        return None
    layer = network.get_submodule(network.heads[0])
    seen: list[tuple[Tensor, Tensor]] = []

    def keep(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append((given[0], output))

    hook = layer.register_forward_hook(keep)
    with torch.inference_mode():
        output = network.backbone.eval()(torch.zeros((1, 3, size, size), device=network.mean.device))
    hook.remove()
    if len(seen) != 1 or seen[0][1] is not output or seen[0][0].ndim != 2:
        return None
    return HeadAlone(head=layer, counting=network.counting), seen[0][0].shape[1]


@contextmanager
def extractor(network: BinCounter, *, size: int) -> Generator[Extractor]:
    """What computes the features of `network`, whose last layer is taken out meanwhile.

    On a CPU OpenVINO does, in FP32: in a third of PyTorch's time (EfficientNet-Lite0, 128 px).
    """
    name = network.heads[0]
    layer, device = network.get_submodule(name), network.mean.device
    network.set_submodule(name, nn.Identity())
    without = _WithoutHead(network).eval()
    try:
        yield _by_openvino(without, size=size) if device.type == "cpu" else _by_torch(without)
    finally:
        network.set_submodule(name, layer)


def _by_torch(module: nn.Module) -> Extractor:
    def extract(images: Tensor) -> Tensor:
        with torch.inference_mode():
            return module(images.contiguous(memory_format=torch.channels_last)).float().cpu()

    return extract


def _by_openvino(module: nn.Module, *, size: int) -> Extractor:
    example = torch.zeros((2, 3, size, size))
    model = convert_module(module, example=example, shape=[("images", [-1, 3, size, size], ov.Type.f32)])
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": usable_cpus()}
    compiled = ov.Core().compile_model(model, "CPU", options)
    return lambda images: torch.tensor(compiled([images.contiguous().numpy()])[0])


def views_of(batch: Batch, *, images: Tensor, views: int, seed: int) -> Iterator[Tensor]:
    """`images` [N, 3, H, W] of `batch`, as they are, mirrored, and then changed at random, `views` in all."""
    for view in range(views):
        if view == 0:
            yield images
        elif view == 1:
            yield images.flip(3)
        else:
            # An image changes in each view as no other does, whoever computes it.
            chance = step_seed(seed=seed, epoch=view, step=int(batch.indices[0]))
            yield augment(images, generator=torch.Generator().manual_seed(chance))
