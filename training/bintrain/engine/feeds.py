"""What the training loop is fed with: images, or the features that a frozen backbone makes of them once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor

from bintrain.data.augment import augment
from bintrain.data.data_loader import Batch, DataLoader
from bintrain.data.images import Images, Item
from bintrain.data.sampling import ordered_plan, permuted_plan, step_seed, training_plan
from bintrain.engine.amp import autocast
from bintrain.engine.distributed import Processes
from bintrain.engine.features import FLOAT_BYTES, Extractor, extractor, head_of, views_of
from bintrain.engine.network import BinCounter, HeadAlone
from bintrain.engine.resources import usable_cpus
from bintrain.log import say
from bintrain.settings import Machine, Settings

EXTRACTED = 32
"""Images that pass a frozen backbone at a time."""


@dataclass(frozen=True, kw_only=True)
class Fed:
    """What one step of this process takes: inputs [n, ...], class indices [n], and how much each image counts
    in the loss [n], or None where all count alike.
    """

    inputs: Tensor
    labels: Tensor
    weights: Tensor | None


class Feed(Protocol):
    """Batches on the device that trains."""

    def training(self, *, epoch: int, first: int) -> Iterator[Fed]:
        """This process's share of each step, from step `first` of `epoch` on."""
        ...

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Places in the split, and inputs, of this process's share of the validation images."""
        ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """What feeds are made of: two splits, and how many images a step of all processes has."""

    train: Images
    validation: Images
    batch: int
    settings: Settings
    machine: Machine
    processes: Processes

    def batches(self, images: Images, plan: Iterator[Sequence[Item]]) -> Iterator[tuple[Batch, Tensor]]:
        """Batches of decoded images, and their pixels on the device as floats [n, 3, H, W] in 0..1."""
        device = self.processes.device
        threads = self.machine.workers or usable_cpus()
        for batch in DataLoader(images, threads=threads, pin=device.type == "cuda").batches(plan):
            yield batch, batch.pixels.to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 255

    def ordered(self, images: Images, *, batch: int) -> Iterator[Sequence[Item]]:
        """This process's share of all images, in order."""
        return ordered_plan(images, batch=batch, rank=self.processes.rank, size=self.processes.size)


class ImageFeed:
    """Images, changed at random where they are trained on."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def training(self, *, epoch: int, first: int) -> Iterator[Fed]:
        """As Feed."""
        source, processes = self._source, self._source.processes
        seed, rank, size = source.settings.seed, processes.rank, processes.size
        plan = training_plan(
            source.train, seed=seed, epoch=epoch, batch=source.batch, first=first, rank=rank, size=size
        )
        for step, (batch, pixels) in enumerate(source.batches(source.train, plan), start=first):
            generator = Generator().manual_seed(step_seed(seed=seed, epoch=epoch, step=step))
            images = augment(pixels, generator=generator, place=(rank, size))
            weights = batch.weights
            yield Fed(
                inputs=images.contiguous(memory_format=torch.channels_last),
                labels=batch.labels.to(processes.device, non_blocking=True),
                weights=None if weights is None else weights.to(processes.device, non_blocking=True),
            )

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """As Feed."""
        source = self._source
        plan = source.ordered(source.validation, batch=max(1, source.batch // source.processes.size))
        for batch, pixels in source.batches(source.validation, plan):
            yield batch.indices, pixels


class FeatureFeed:
    """Features of images [V, N, D]: in each epoch one of an image's V views, drawn at random."""

    def __init__(self, source: Source, *, train: Tensor, validation: Tensor) -> None:
        self._source = source
        self._train = train.to(source.processes.device)
        self._validation = validation[0]
        self._labels = torch.tensor(source.train.labels, device=source.processes.device)
        weights = source.train.weights
        self._weights = None if weights is None else weights.to(source.processes.device)

    def training(self, *, epoch: int, first: int) -> Iterator[Fed]:
        """As Feed."""
        source, processes = self._source, self._source.processes
        seed, place = source.settings.seed, {"rank": processes.rank, "size": processes.size}
        count = len(self._labels)
        plan = permuted_plan(count, seed=seed, epoch=epoch, batch=source.batch, first=first, **place)
        for step, taken in enumerate(plan, start=first):
            generator = Generator().manual_seed(step_seed(seed=seed, epoch=epoch, step=step))
            drawn = torch.randint(len(self._train), (len(taken) * processes.size,), generator=generator)
            indices = torch.tensor(taken, device=self._train.device)
            views = drawn[processes.rank :: processes.size].to(self._train.device)
            yield Fed(
                inputs=self._train[views, indices],
                labels=self._labels[indices],
                weights=None if self._weights is None else self._weights[indices],
            )

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """As Feed."""
        processes = self._source.processes
        indices = torch.arange(processes.rank, len(self._validation), processes.size)
        yield indices, self._validation[indices].to(processes.device)


def choose_feed(source: Source, *, network: BinCounter) -> tuple[BinCounter | HeadAlone, Feed]:
    """What is trained, `network` or its head, and what it is fed with."""
    settings, images, views = source.settings, source.train, source.settings.frozen_views
    if not settings.freeze_backbone or not views:
        return network, ImageFeed(source)
    found = head_of(network, size=settings.image_size)
    if found is None:
        say(f"{settings.arch} does not end with one layer: each epoch passes the whole network")
        return network, ImageFeed(source)
    head, width = found
    needed = (views * len(images) * width * FLOAT_BYTES) >> 20
    if needed > source.machine.cache_mib:
        say(f"features of {needed} MiB exceed --cache-mib: each epoch passes the whole network")
        return network, ImageFeed(source)
    with extractor(network, size=settings.image_size) as extract:
        train = _features(source, images, extract=extract, views=views, width=width)
        validation = _features(source, source.validation, extract=extract, views=1, width=width)
    say(f"features are ready: {width} each of {len(images)} images in {views} views")
    return head, FeatureFeed(source, train=train, validation=validation)


def _features(source: Source, images: Images, *, extract: Extractor, views: int, width: int) -> Tensor:
    """[V, N, D] on the CPU, in every process; each computes its share."""
    own: list[tuple[Tensor, Tensor]] = []
    for batch, pixels in source.batches(images, source.ordered(images, batch=EXTRACTED)):
        with autocast(source.machine, device=source.processes.device):
            shown = views_of(batch, images=pixels, views=views, seed=source.settings.seed)
            own.append((batch.indices, torch.stack([extract(view) for view in shown])))
    found = torch.empty((views, len(images), width))
    for indices, features in (pair for pairs in source.processes.gather(own) for pair in pairs):
        found[:, indices] = features
    return found
