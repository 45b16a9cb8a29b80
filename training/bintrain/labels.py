"""Soft labels: counts are ordered, so being off by one is less wrong than being off by three."""

from __future__ import annotations

import torch
from torch import Tensor

from bintrain.classes import Classes


def soft_labels(classes: Classes, *, sigma: float) -> Tensor:
    """Row i is the target distribution [C] of class i: a Gaussian over the counts, scaled to sum 1.

    `sigma` is in objects; 0 gives hard labels.
    """
    if sigma == 0:
        return torch.eye(len(classes.counts))
    counts = torch.tensor(classes.counts, dtype=torch.float32)
    distance = counts.unsqueeze(0) - counts.unsqueeze(1)
    return torch.softmax(-(distance**2) / (2 * sigma**2), dim=1)
