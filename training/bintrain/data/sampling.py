"""The order of images. It follows from seed, epoch and step, so that a checkpoint holds a position alone.

Images that can be had in any order (kept in memory, or files) are permuted anew each epoch. Shards that do
not fit in memory are read from end to end, as streamed storage (FastFile) needs it: the shards in another
order each epoch, their images through a buffer from which each next one is drawn. What is drawn when follows
from the numbers of images alone, so a job that goes on within an epoch reads only the shards it still needs.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from bintrain.data.images import Images, Item
from bintrain.errors import TrainingError

BUFFER = 2048
"""Stored images that wait to be drawn; about 100 MB of original bins."""


def step_seed(*, seed: int, epoch: int, step: int) -> int:
    """The seed of all that is random in one step, for torch's generators."""
    return int(np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)[0] >> 1)


def training_plan(
    images: Images, *, seed: int, epoch: int, batch: int, first: int, rank: int, size: int
) -> Iterator[Sequence[Item]]:
    """This process's share of each step's `batch` images, from step `first` of `epoch` on.

    Images that do not fill the last batch wait for another epoch: a batch of one has no statistics.
    Raises TrainingError when shards are streamed and there are fewer of them than processes.
    """
    if not images.streamed:
        plan = permuted_plan(
            len(images), seed=seed, epoch=epoch, batch=batch, first=first, rank=rank, size=size
        )
        yield from ([(index, None) for index in taken] for taken in plan)
        return
    share = batch // size
    items = _shuffled(images, seed=(seed, epoch), rank=rank, size=size, skip=first * share)
    for _ in range(first, len(images) // batch):
        yield list(islice(items, share))


def permuted_plan(
    count: int, *, seed: int, epoch: int, batch: int, first: int, rank: int, size: int
) -> Iterator[Sequence[int]]:
    """The same for what can be had in any order: places among `count`, permuted anew each epoch."""
    order = _permutation(count, seed=seed, epoch=epoch)
    for step in range(first, count // batch):
        yield order[step * batch : (step + 1) * batch][rank::size]


def ordered_plan(images: Images, *, batch: int, rank: int = 0, size: int = 1) -> Iterator[Sequence[Item]]:
    """Every image once, over all processes together; none is repeated to make shares equal."""
    items = (
        (item for shard in list(images.shards)[rank::size] for item in images.read_shard(shard))
        if images.streamed
        else ((index, None) for index in range(rank, len(images), size))
    )
    while taken := list(islice(items, batch)):
        yield taken


def sample_plan(images: Images, *, count: int, batch: int, seed: int) -> Iterator[Sequence[Item]]:
    """At most `count` images, drawn at random (streamed: from the first shards of a shuffle)."""
    count = min(count, len(images))
    items: Iterator[Item]
    if images.streamed:
        items = _shuffled(images, seed=(seed, 0), rank=0, size=1)
    else:
        order = _permutation(len(images), seed=seed, epoch=0)
        items = ((index, None) for index in order)
    chosen = islice(items, count)
    while taken := list(islice(chosen, batch)):
        yield taken


def _shuffled(
    images: Images, *, seed: tuple[int, int], rank: int, size: int, skip: int = 0
) -> Iterator[Item]:
    # Endless: a process whose shards hold fewer images than its share begins with them again.
    shards = sorted(images.shards)
    if len(shards) < size:
        raise TrainingError(
            f"{size} processes cannot share {len(shards)} shards of training images; pack the dataset into "
            "smaller ones (--shard-mb of data preparation), raise --cache-mib, or use fewer processes"
        )
    random.Random(f"{seed}").shuffle(shards)
    own = shards[rank::size]
    order = _draw(sum(len(images.shards[shard]) for shard in own), draw=random.Random(f"{seed} {rank}"))
    # None of the first `skip` is farther on than that: the buffer holds what is drawn late.
    done = bytearray(skip + BUFFER)
    for place in islice(order, skip):
        done[place] = 1
    stored = _stored(images, own, done=done)
    waiting: dict[int, Item] = {}
    for place in order:
        while place not in waiting:
            at, item = next(stored)
            waiting[at] = item
        yield waiting.pop(place)


def _draw(total: int, *, draw: random.Random) -> Iterator[int]:
    """The places of all images, as they are stored one after the other, in the order in which they are drawn
    from a buffer of BUFFER; those of the second time around begin at `total`.
    """
    for start in itertools.count(0, total):
        waiting: list[int] = []
        for place in range(start, start + total):
            if len(waiting) < BUFFER:
                waiting.append(place)
                continue
            drawn = draw.randrange(BUFFER)
            yield waiting[drawn]
            waiting[drawn] = place
        draw.shuffle(waiting)
        yield from waiting


def _stored(images: Images, shards: Sequence[Path], *, done: bytearray) -> Iterator[tuple[int, Item]]:
    """All images with their places, but for those that are `done`; shards that are done are not opened."""
    place = 0
    for shard in cycle(shards):
        end = place + len(images.shards[shard])
        if end <= len(done) and done.find(0, place, end) < 0:
            place = end
            continue
        for item in images.read_shard(shard):
            if place >= len(done) or not done[place]:
                yield place, item
            place += 1


def _permutation(count: int, *, seed: int, epoch: int) -> list[int]:
    order = torch.randperm(count, generator=_generator(seed, epoch))
    return cast("Any", order).tolist()  # torch leaves open of what the list is


def _generator(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(step_seed(seed=seed, epoch=epoch, step=0))
