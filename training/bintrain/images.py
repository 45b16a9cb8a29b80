"""The images of one part as tensors: decoded once and kept where they fit, else decoded when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import torch
from torch import Tensor
from torch.utils.data import Dataset

from bintrain.classes import Classes
from bintrain.dataset import BinImage
from bintrain.errors import TrainingError
from bintrain.preprocess import preprocess


class Images(Dataset[tuple[Tensor, int]]):
    """(uint8 [size, size, 3], class index) by position.

    With `keep` all are decoded here and now on all cores and stay in memory: size * size * 3 bytes each.
    Raises TrainingError when an image is unreadable, is not the one in the manifest, or has no class.
    """

    def __init__(self, images: Sequence[BinImage], *, classes: Classes, size: int, keep: bool) -> None:
        self._images = images
        self._size = size
        self.labels = [_label(image, classes=classes) for image in images]
        self._kept: Tensor | None = self._decode_all() if keep else None

    def __len__(self) -> int:
        return len(self._images)

    @property
    def kept(self) -> bool:
        """Whether the images are in memory."""
        return self._kept is not None

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = self._decode(index) if self._kept is None else self._kept[index]
        return pixels, self.labels[index]

    def __getitems__(self, indices: list[int]) -> list[tuple[Tensor, int]]:
        """Several at once, as DataLoader asks."""
        return [self[index] for index in indices]

    def read(self, index: int) -> bytes:
        """The image's file as it was stored. Raises TrainingError when it is not the manifest's."""
        image = self._images[index]
        data = image.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != image.sha256:
            raise TrainingError(
                f"{image.path} is not the manifest's file (its SHA-256 differs); copy it again"
            )
        return data

    def _decode_all(self) -> Tensor:
        kept = torch.empty((len(self), self._size, self._size, 3), dtype=torch.uint8)

        def decode(index: int) -> None:
            kept[index] = self._decode(index)

        with ThreadPoolExecutor(cpu_count()) as pool:
            list(pool.map(decode, range(len(self))))
        return kept

    def _decode(self, index: int) -> Tensor:
        data = self.read(index)
        try:
            return torch.from_numpy(preprocess(data, width=self._size, height=self._size).copy())
        except TrainingError as error:
            raise TrainingError(
                f"{self._images[index].path}: {error}. Leave it out, or copy it again"
            ) from error


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
