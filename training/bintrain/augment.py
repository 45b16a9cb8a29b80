"""Random changes that leave the number of objects as it is, on whole batches of tensors.

The ranges are those of the measured recipe: rotation 5 degrees, scale 0.9 to 1.08, shift 3 %, brightness,
contrast and saturation 20 %, left-right flip.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor

ROTATION = math.radians(5)
SCALE = (0.9, 1.08)
SHIFT = 0.03
COLOUR = 0.2
LUMA = (0.299, 0.587, 0.114)
"""Grey from red, green, blue (ITU-R BT.601)."""


def augment(images: Tensor, *, generator: Generator) -> Tensor:
    """Change float images [N, 3, H, W] in 0..1, each in its own way; `generator` lives on the CPU."""
    return _recolour(_move(images, generator=generator), generator=generator)


def _uniform(count: int, low: float, high: float, *, like: Tensor, generator: Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * (high - low) + low).to(like.device)


def _move(images: Tensor, *, generator: Generator) -> Tensor:
    n = len(images)
    angle = _uniform(n, -ROTATION, ROTATION, like=images, generator=generator)
    scale = _uniform(n, *SCALE, like=images, generator=generator)
    flip = torch.where(_uniform(n, 0, 1, like=images, generator=generator) < 0.5, -1.0, 1.0)
    # affine_grid's unit is half an image, hence twice the share.
    dx = _uniform(n, -2 * SHIFT, 2 * SHIFT, like=images, generator=generator)
    dy = _uniform(n, -2 * SHIFT, 2 * SHIFT, like=images, generator=generator)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, dx], dim=1), torch.stack([sin * flip, cos, dy], dim=1)], dim=1
    )
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _recolour(images: Tensor, *, generator: Generator) -> Tensor:
    def factor() -> Tensor:
        return _uniform(len(images), 1 - COLOUR, 1 + COLOUR, like=images, generator=generator).view(
            -1, 1, 1, 1
        )

    luma = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    images = images * factor()
    mean = (images * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    images = mean + (images - mean) * factor()
    grey = (images * luma).sum(1, keepdim=True)
    return (grey + (images - grey) * factor()).clamp(0, 1)
