"""The images of one split as tensors: decoded once and kept where they fit, else decoded when asked for."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from bincount_core.image import ImageFault, read_image
from bincount_core.limits import MOST_PIXELS
from bincount_core.preprocessing import preprocess
from bintrain.data.classes import Classes
from bintrain.data.dataset import BinImage
from bintrain.data.fast_preprocess import decode_quickly
from bintrain.data.shards import Member, find_members, read_shard
from bintrain.data.storage import Stamp, read_whole
from bintrain.engine.resources import usable_cpus
from bintrain.errors import TrainingError

Item = tuple[int, bytes | None]
"""An image's place in its split, and its bytes where they are read already."""

AHEAD = 256
"""Images read from shards before they are decoded: what is held in memory as it was stored."""


class Images:
    """The images of one split, uint8 [size, size, 3] each, with their class indices (`labels`).

    With `keep` all are decoded here and now on all cores and stay in memory: size * size * 3 bytes each.
    Without, files are read when asked for, and shards (`streamed`) from end to end with `read_shard`.
    `quick` pixels are for training alone: a network is evaluated on what will serve it.
    Raises TrainingError when an image is unreadable, is not the one in the manifest when it is first read, or
    has no class.
    """

    def __init__(
        self, images: Sequence[BinImage], *, classes: Classes, size: int, keep: bool, quick: bool = False
    ) -> None:
        self._images = images
        self.size = size
        self._quick = quick
        self.labels = [_label(image, classes=classes) for image in images]
        self.weights = _weights(images)
        """How much each image counts in the loss, 1 on average [N]; None where all count alike."""
        self.shards = _by_shard(images)
        """Shard -> the member names that belong here, with their places."""
        # Arrays, not objects: nothing may grow while half a million images are read.
        self._places = array("q", [0, 0]) * len(images) if self.shards else array("q")
        """Offset and size of each image in its shard; 0 and 0 until it was found there."""
        self._stamps: dict[Path, Stamp] = {}
        """What each shard was when its images were held against the manifest."""
        self._seen = bytearray(len(images))
        """1 for each image whose SHA-256 was found to be the manifest's."""
        self.kept: Tensor | None = self._decode_all() if keep else None
        """All pixels [N, size, size, 3], or None."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def streamed(self) -> bool:
        """Whether the images can only be had in the order of their shards."""
        return self.kept is None and bool(self.shards)

    def read_shard(self, shard: Path) -> Iterator[tuple[int, bytes]]:
        """The places and checked bytes of a shard's images, in one pass. Raises TrainingError as `read`."""
        wanted = self.shards[shard]

        def opened(stamp: Stamp) -> None:
            # A shard that was copied again has to show once more that its images are the manifest's.
            if self._stamps.setdefault(shard, stamp) != stamp:
                self._stamps[shard] = stamp
                for index in wanted.values():
                    self._seen[index] = 0

        for index, member, data in read_shard(shard, wanted=wanted, opened=opened):
            self._note(index, member)
            yield index, self._checked(index, data)

    def decode_into(self, target: Tensor, items: Sequence[Item]) -> None:
        """Write images' pixels to uint8 [n, size, size, 3]. Raises TrainingError when one is unreadable."""
        for (index, data), into in zip(items, target.unbind(), strict=True):
            self._decode(index, self.read(index) if data is None else data, into=into)

    def read(self, index: int) -> bytes:
        """The image as it was stored. Raises TrainingError when it is not the manifest's."""
        image = self._images[index]
        try:
            data = self._member(index).read() if image.in_shard else _contents(image.path)
        except OSError as error:
            raise TrainingError(
                f"{self._name(index)} cannot be read: {error}. Check the storage, then start the job again"
            ) from error
        return self._checked(index, data)

    def _member(self, index: int) -> Member:
        shard = self._images[index].path
        if not self._places[2 * index]:
            for number, member in find_members(shard, wanted=self.shards[shard]).items():
                self._note(number, member)
        offset, size = self._places[2 * index : 2 * index + 2]
        return Member(shard=shard, offset=offset, size=size)

    def _note(self, index: int, member: Member) -> None:
        self._places[2 * index], self._places[2 * index + 1] = member.offset, member.size

    def _checked(self, index: int, data: bytes) -> bytes:
        # Once a job: in each further epoch it would cost a twentieth of reading and decoding.
        if self._seen[index]:
            return data
        if hashlib.sha256(data).hexdigest() != self._images[index].sha256:
            raise TrainingError(
                f"{self._name(index)} is not the manifest's file (its SHA-256 differs); copy it again"
            )
        self._seen[index] = True
        return data

    def _decode_all(self) -> Tensor:
        kept = torch.empty((len(self), self.size, self.size, 3), dtype=torch.uint8)
        stored = self._stored()

        def decode(item: Item) -> None:
            self.decode_into(kept[item[0]].unsqueeze(0), [item])

        with ThreadPoolExecutor(usable_cpus()) as pool:
            while batch := list(islice(stored, AHEAD)):
                list(pool.map(decode, batch))
        return kept

    def _stored(self) -> Iterator[Item]:
        # Files are read by the threads that decode them, shards here, one after the other.
        for index, image in enumerate(self._images):
            if not image.in_shard:
                yield index, None
        for shard in self.shards:
            yield from self.read_shard(shard)

    def _decode(self, index: int, data: bytes, *, into: Tensor) -> None:
        try:
            if self._quick:
                decode_quickly(data, into=into)
            else:
                image = read_image(data, max_pixels=MOST_PIXELS)
                into.numpy()[...] = preprocess(image, width=self.size, height=self.size)
        except ImageFault as fault:
            raise TrainingError(
                f"{self._name(index)}: not a readable image ({len(data)} bytes): {fault}. Leave it out, or "
                "copy it again"
            ) from fault

    def _name(self, index: int) -> str:
        image = self._images[index]
        return f"{image.id}.jpg in {image.path}" if image.in_shard else str(image.path)


def _contents(file: Path) -> bytes:
    # Path.read_bytes gives the same; its buffer costs 0.016 ms of 1.2 that an image takes.
    try:
        with file.open("rb", buffering=0) as stream:
            return stream.read()
    except OSError:
        return read_whole(file)


def _by_shard(images: Sequence[BinImage]) -> dict[Path, dict[str, int]]:
    shards: dict[Path, dict[str, int]] = {}
    for index, image in enumerate(images):
        if image.in_shard:
            shards.setdefault(image.path, {})[f"{image.id}.jpg"] = index
    return shards


def _weights(images: Sequence[BinImage]) -> Tensor | None:
    if len({image.weight for image in images}) < 2:
        return None
    given = torch.tensor([image.weight for image in images])
    return given / given.mean()


def fits(count: int, *, size: int, cache_mib: int) -> bool:
    """Whether `count` decoded images stay within the bound."""
    return count * size * size * 3 <= cache_mib * 2**20


def _label(image: BinImage, *, classes: Classes) -> int:
    try:
        return classes.index(image.count)
    except KeyError as error:
        raise TrainingError(
            f"image {image.id} ({image.split}) shows {image.count} objects, but no training image does. "
            "Request a dataset with more images, or lower --max-count"
        ) from error
