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
CHANCES = 8
"""Random numbers an image takes."""
LUMA = (0.299, 0.587, 0.114)
"""Grey from red, green, blue (ITU-R BT.601)."""


def augment(images: Tensor, *, generator: Generator, place: tuple[int, int] = (0, 1)) -> Tensor:
    """Change float images [N, 3, H, W] in 0..1, each in its own way; `generator` lives on the CPU.

    `place` is (rank, size) where `images` are every size-th of a larger batch: they change as they would in
    that batch.
    """
    rank, size = place
    chance = torch.rand((len(images) * size, CHANCES), generator=generator)[rank::size].to(images.device)
    return _recolour(_move(images, chance=chance[:, :5]), chance=chance[:, 5:])


def _within(chance: Tensor, low: float, high: float) -> Tensor:
    return chance * (high - low) + low


def _move(images: Tensor, *, chance: Tensor) -> Tensor:
    angle = _within(chance[:, 0], -ROTATION, ROTATION)
    scale = _within(chance[:, 1], *SCALE)
    flip = torch.where(chance[:, 2] < 0.5, -1.0, 1.0)
    # affine_grid's unit is half an image, hence twice the share.
    dx = _within(chance[:, 3], -2 * SHIFT, 2 * SHIFT)
    dy = _within(chance[:, 4], -2 * SHIFT, 2 * SHIFT)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, dx], dim=1), torch.stack([sin * flip, cos, dy], dim=1)], dim=1
    )
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _recolour(images: Tensor, *, chance: Tensor) -> Tensor:
    brightness, contrast, saturation = _within(chance, 1 - COLOUR, 1 + COLOUR).T.view(3, -1, 1, 1, 1)
    luma = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    images = images * brightness
    mean = (images * luma).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    images = mean + (images - mean) * contrast
    grey = (images * luma).sum(1, keepdim=True)
    return (grey + (images - grey) * saturation).clamp(0, 1)
