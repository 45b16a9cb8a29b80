"""From features to logits over counts: heads that know, each in its way, that 3 is near 4.

Whatever the head, the network's output is one logit a count, whose softmax are the probabilities: what
calibrates, exports and serves need not know which head was trained.

soft      a logit for each count, cross entropy against Gaussian soft labels (the width is `label_sigma`)
emd       the same logits; the squared earth mover's distance between the two distributions, which grows with
          how far the mass lies (Hou et al. 2016, arXiv 1611.05916)
corn      an output for each threshold, P(more than k | at least k); conditional training sets
          (Shi, Cao, Raschka 2021, arXiv 2111.08851)
binomial  two outputs, the rate and the sharpness of a binomial distribution: the probabilities have one peak
          (Beckham and Pal 2017, arXiv 1705.05278, with a sharpness for each image)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

LARGEST_RAW = 50.0
"""Beyond it a threshold's probability is 0 or 1 to more digits than float32 has."""


class Loss(Protocol):
    """The mean loss over images, a scalar."""

    def __call__(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """`logits` over counts [N, C], class indices [N], and what each image counts [N], 1 on average over
        the images that are trained on (not over each batch); None: all alike."""
        ...


@dataclass(frozen=True, kw_only=True)
class Head:
    """`outputs` numbers come from the network's last layer, `counting` makes logits [N, C] of them."""

    outputs: int
    counting: nn.Module


def build_head(name: str, *, classes: int) -> Head:
    """The head called `name` for that many classes, of which there are at least two."""
    if name == "corn":
        return Head(outputs=classes - 1, counting=_Conditional())
    if name == "binomial":
        return Head(outputs=2, counting=_Binomial(classes))
    return Head(outputs=classes, counting=nn.Identity())


def build_loss(name: str, *, targets: Tensor) -> Loss:
    """What the head called `name` is trained with; row i of `targets` [C, C] is the soft label of class i."""
    if name == "corn":
        return corn_loss
    if name == "emd":

        def emd(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
            return squared_emd(logits, targets[labels], weights)

        return emd

    def soft(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        if weights is None:
            return functional.cross_entropy(logits, targets[labels])
        return (weights * functional.cross_entropy(logits, targets[labels], reduction="none")).mean()

    return soft


def corn_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """CORN's loss from logits over counts.

    The binary cross entropies of an image's thresholds add up to its negative log-likelihood. The paper's
    mean is over the members of all conditional sets: an image of class k is in k + 1 of them, of the last
    class in one less.
    """
    members = (labels + 1).clamp(max=logits.shape[1] - 1)
    if weights is not None:
        return (weights * functional.cross_entropy(logits, labels, reduction="none")).sum() / members.sum()
    return functional.cross_entropy(logits, labels, reduction="sum") / members.sum()


def squared_emd(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """The squared earth mover's distance of softmax(logits) [N, C] to `targets` [N, C], the mean over images.

    On a line it is the sum over thresholds of the squared difference of the cumulated distributions.
    """
    difference = torch.softmax(logits, dim=1).cumsum(1) - targets.cumsum(1)
    squares = (difference**2).sum(1)
    return squares.mean() if weights is None else (weights * squares).mean()


def _bounded(raw: Tensor) -> Tensor:
    # OpenVINO's exponential overflows where PyTorch's logsigmoid and softplus do not.
    return raw.float().clamp(-LARGEST_RAW, LARGEST_RAW)


class _Conditional(nn.Module):
    def forward(self, raw: Tensor) -> Tensor:
        """[N, C - 1] logits of "more than k, given at least k" -> [N, C] logarithms of probabilities."""
        raw = _bounded(raw)
        passed = functional.logsigmoid(raw).cumsum(1)
        ended = functional.logsigmoid(-raw)
        first = torch.zeros_like(raw[:, :1])
        return torch.cat([first, passed], dim=1) + torch.cat([ended, first], dim=1)


class _Binomial(nn.Module):
    places: Tensor
    choices: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        trials = classes - 1
        choices = [math.log(math.comb(trials, k)) for k in range(classes)]
        self.register_buffer("places", torch.arange(classes, dtype=torch.float32), persistent=False)
        self.register_buffer("choices", torch.tensor(choices), persistent=False)

    def forward(self, raw: Tensor) -> Tensor:
        """[N, 2], rate (as a logit) and sharpness -> [N, C]: a binomial's logits times the sharpness."""
        raw = _bounded(raw)
        rate, sharpness = raw[:, :1], functional.softplus(raw[:, 1:] + 1)
        # log C(K, k) + k log p + (K - k) log (1 - p), less what is the same for every k: K log (1 - p).
        return sharpness * (self.choices + self.places * rate)
