"""Out-of-fold probabilities of each count: a small network over the maps, that never saw the image or its
block.

It looks at each of the image's cells and adds up: what is counted is the sum over cells, as in density
estimation (Lempitsky and Zisserman 2010, "Learning to count objects in images"), and their maximum. It is
trained for each fold on the others, in some seconds for a thousand images on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bincount.audit.features import CHANNELS, Maps

FOLDS = 5
EPOCHS = 20
LEAST = 20
"""Images that a count needs to be a class of its own; larger ones join the class below as "or more"."""
_BATCH = 64
_WIDTH = 64
_RATE, _DECAY, _SMOOTHING, _DROPPED = 6e-3, 5e-2, 0.1, 0.2

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Class i means `counts[i]` objects, the last one that many or more where `open_top`."""

    counts: list[int]
    open_top: bool

    def index(self, count: int) -> int:
        """The class of a count: the nearest one below, else the first."""
        return max(0, int(np.searchsorted(self.counts, count, side="right")) - 1)


def choose_classes(counts: Sequence[int]) -> Classes:
    """The counts that occur LEAST times or more; a rare one joins the class below it."""
    values, numbers = np.unique(np.asarray(counts), return_counts=True)
    kept = [int(value) for value, number in zip(values, numbers, strict=True) if number >= LEAST]
    return Classes(counts=kept, open_top=bool(kept) and int(values[-1]) > kept[-1])


def folds_of(blocks: Sequence[str], *, folds: int) -> NDArray[np.int64]:
    """The fold of each image: those of a block are in one fold, and the folds nearly of a size."""
    names, numbers = np.unique(np.asarray(blocks), return_counts=True)
    sizes = np.zeros(folds, dtype=np.int64)
    chosen: dict[str, int] = {}
    for place in np.argsort(-numbers, kind="stable"):
        smallest = int(sizes.argmin())
        sizes[smallest] += numbers[place]
        chosen[str(names[place])] = smallest
    return np.array([chosen[block] for block in blocks])


def out_of_fold(
    maps: Maps,
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
    *,
    classes: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> Probabilities:
    """[images, classes] from `maps` at `rows`; image i of class `labels[i]` is in fold `folds[i]`."""
    mean, std = _scale(maps, rows)
    found = np.zeros((len(rows), classes))
    numbers = np.unique(folds)
    for done, fold in enumerate(numbers):
        progress(done, len(numbers))
        torch.manual_seed(seed + int(fold))  # pyright: ignore[reportUnknownMemberType]
        learnt = np.flatnonzero(folds != fold)
        network = _Counter(mean=mean, std=std, classes=classes)
        _train(network, maps, rows[learnt], labels[learnt], seed=seed + int(fold))
        held = np.flatnonzero(folds == fold)
        found[held] = _predict(network, maps, rows[held])
    progress(len(numbers), len(numbers))
    return found


class _Counter(nn.Module):
    """Where a cell is does not matter to it, so an image and its mirror image are the same to it."""

    mean: Tensor
    std: Tensor

    def __init__(self, *, mean: Tensor, std: Tensor, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.first = nn.Linear(CHANNELS, _WIDTH)
        self.second = nn.Linear(_WIDTH, _WIDTH)
        self.dropout = nn.Dropout1d(_DROPPED)
        self.last = nn.Linear(2 * _WIDTH, classes)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, cells, CHANNELS] -> logits [N, classes]."""
        # The first layer of (maps - mean) / std, without a pass over the maps for either.
        weight = self.first.weight / self.std
        seen = nn.functional.linear(maps, weight, self.first.bias - weight @ self.mean).relu()
        seen = self.second(seen).relu()
        # The mean is the sum, but for a factor that keeps it near 1.
        pooled = torch.stack([4 * seen.mean(dim=1), seen.amax(dim=1)], dim=2)
        # What is dropped is a channel, as if it had been zero in every cell.
        return self.last(self.dropout(pooled).flatten(1))


def _scale(maps: Maps, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    some = np.asarray(maps[np.sort(rows[:: max(1, len(rows) // 1000)])], dtype=np.float32)
    mean, std = some.mean(axis=(0, 2, 3)), some.std(axis=(0, 2, 3)) + 1e-6
    return torch.as_tensor(mean), torch.as_tensor(std)


def _train(
    network: _Counter, maps: Maps, rows: NDArray[np.int64], labels: NDArray[np.int64], *, seed: int
) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    steps = EPOCHS * -(-len(rows) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=steps)
    random = np.random.default_rng(seed)
    network.train()
    for _ in range(EPOCHS):
        order = random.permutation(len(rows))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            loss = nn.functional.cross_entropy(
                network(_read(maps, rows[batch])), torch.as_tensor(labels[batch]), label_smoothing=_SMOOTHING
            )
            optimizer.zero_grad()
            loss.backward()  # pyright: ignore[reportUnknownMemberType]
            optimizer.step()  # pyright: ignore[reportUnknownMemberType]
            schedule.step()


def _predict(network: _Counter, maps: Maps, rows: NDArray[np.int64]) -> Probabilities:
    network.eval()
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(rows), _BATCH):
            found.append(network(_read(maps, rows[start : start + _BATCH])).softmax(1))
    return torch.cat(found).double().numpy()


def _read(maps: Maps, rows: NDArray[np.int64]) -> Tensor:
    """[rows, cells, CHANNELS]"""
    # PyTorch widens halves four times as fast as NumPy does.
    return torch.as_tensor(np.asarray(maps[rows])).float().flatten(2).transpose(1, 2)
