"""Soft labels and class priors: they give the loss the order of counts, and how rare each one is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bintrain.data.classes import Classes


def soft_labels(classes: Classes, *, sigma: float) -> Tensor:
    """Row i is the target distribution [C] of class i: a Gaussian over the counts, scaled to sum 1.

    `sigma` is in objects; 0 gives hard labels.
    """
    if sigma == 0:
        return torch.eye(len(classes.counts))
    counts = torch.tensor(classes.counts, dtype=torch.float32)
    distance = counts.unsqueeze(0) - counts.unsqueeze(1)
    return torch.softmax(-(distance**2) / (2 * sigma**2), dim=1)


def log_priors(labels: Sequence[int], *, classes: Classes) -> Tensor:
    """The logarithm of each class's share of the training images, [C].

    Added to the logits in training, times a strength, it lets the plain logits favour rare classes as if all
    were equally frequent. Source: Menon et al. 2020 (arXiv 2007.07314), eq. 10.
    """
    images = torch.bincount(torch.tensor(labels), minlength=len(classes.counts))
    return torch.log(images / images.sum())
