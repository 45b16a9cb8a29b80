"""The images of one part as tensors: decoded once and kept where they fit, else decoded when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from os import cpu_count
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from bintrain.classes import Classes
from bintrain.dataset import BinImage
from bintrain.errors import TrainingError
from bintrain.preprocess import preprocess
from bintrain.shards import Member, find_members, read_shard

AHEAD = 256
"""Images read from shards before they are decoded: what is held in memory as it was stored."""


class Images(Dataset[tuple[Tensor, int]]):
    """(uint8 [size, size, 3], class index) by position.

    With `keep` all are decoded here and now on all cores and stay in memory: size * size * 3 bytes each.
    Shards are then read once, from end to end; without `keep` an image is read from its place when asked for.
    Raises TrainingError when an image is unreadable, is not the one in the manifest, or has no class.
    """

    def __init__(self, images: Sequence[BinImage], *, classes: Classes, size: int, keep: bool) -> None:
        self._images = images
        self._size = size
        self.labels = [_label(image, classes=classes) for image in images]
        self._shards = _by_shard(images)
        self._members: dict[int, Member] = {}
        if not keep:
            for shard, wanted in self._shards.items():
                self._members |= find_members(shard, wanted=wanted)
        self._kept: Tensor | None = self._decode_all() if keep else None

    def __len__(self) -> int:
        return len(self._images)

    @property
    def kept(self) -> bool:
        """Whether the images are in memory."""
        return self._kept is not None

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = self._decode(index, self.read(index)) if self._kept is None else self._kept[index]
        return pixels, self.labels[index]

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, int]]:
        """Several at once, as DataLoader asks."""
        return [self[index] for index in indices]

    def read(self, index: int) -> bytes:
        """The image as it was stored. Raises TrainingError when it is not the manifest's."""
        image = self._images[index]
        data = self._members[index].read() if image.in_shard else image.path.read_bytes()
        return self._checked(index, data)

    def _checked(self, index: int, data: bytes) -> bytes:
        if hashlib.sha256(data).hexdigest() != self._images[index].sha256:
            raise TrainingError(
                f"{self._name(index)} is not the manifest's file (its SHA-256 differs); copy it again"
            )
        return data

    def _decode_all(self) -> Tensor:
        kept = torch.empty((len(self), self._size, self._size, 3), dtype=torch.uint8)

        def decode(item: tuple[int, bytes | None]) -> None:
            index, data = item
            kept[index] = self._decode(
                index, self.read(index) if data is None else self._checked(index, data)
            )

        stored = self._stored()
        with ThreadPoolExecutor(cpu_count()) as pool:
            while batch := list(islice(stored, AHEAD)):
                list(pool.map(decode, batch))
        return kept

    def _stored(self) -> Iterator[tuple[int, bytes | None]]:
        # Files are read by the threads that decode them, shards here, one after the other.
        for index, image in enumerate(self._images):
            if not image.in_shard:
                yield index, None
        for shard, wanted in self._shards.items():
            for index, member, data in read_shard(shard, wanted=wanted):
                self._members[index] = member
                yield index, data

    def _decode(self, index: int, data: bytes) -> Tensor:
        try:
            return torch.from_numpy(preprocess(data, width=self._size, height=self._size).copy())
        except TrainingError as error:
            raise TrainingError(f"{self._name(index)}: {error}. Leave it out, or copy it again") from error

    def _name(self, index: int) -> str:
        image = self._images[index]
        return f"{image.id}.jpg in {image.path}" if image.in_shard else str(image.path)


def _by_shard(images: Sequence[BinImage]) -> dict[Path, dict[str, int]]:
    shards: dict[Path, dict[str, int]] = {}
    for index, image in enumerate(images):
        if image.in_shard:
            shards.setdefault(image.path, {})[f"{image.id}.jpg"] = index
    return shards


def fits(count: int, *, size: int, cache_mib: int) -> bool:
    """Whether `count` decoded images stay within the bound."""
    return count * size * size * 3 <= cache_mib * 2**20


def _label(image: BinImage, *, classes: Classes) -> int:
    try:
        return classes.index(image.count)
    except KeyError as error:
        raise TrainingError(
            f"image {image.id} ({image.part}) shows {image.count} objects, but no training image does. "
            "Request a dataset with more images, or lower --max-count"
        ) from error
