"""Read a sealed dataset's manifest: which image belongs to which split, and what it shows."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bintrain.errors import TrainingError

SPLITS = ("train", "validation", "test")
"""Models learn from the first, are chosen by the second, and are looked at once on the third."""
MOST_WEIGHT = 10
"""The largest weight of an image, as docs/schemas/manifest.schema.json has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BinImage:
    """One line of the manifest; `split` is one of SPLITS.

    `path` is the image's file on this machine or, with `in_shard`, the tar that holds it as `<id>.jpg`.
    `weight` is how many times an image counts in the loss of training: what a person counted, more.
    """

    id: str
    count: int
    split: str
    path: Path
    sha256: str
    in_shard: bool = False
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A sealed dataset. `images` are in the manifest's order (by id)."""

    id: str
    images: tuple[BinImage, ...]

    def split(self, name: str) -> tuple[BinImage, ...]:
        """The images of one of SPLITS."""
        return tuple(image for image in self.images if image.split == name)


def read_dataset(folder: Path) -> Dataset:
    """Read `dataset.json` and `manifest.jsonl.gz`.

    Raises TrainingError when the dataset is not sealed, a file is not what the contract says, an image is
    listed but missing, or one of the splits is empty.
    """
    sealed = folder / "dataset.json"
    if not sealed.is_file():
        raise TrainingError(
            f"the dataset is not sealed: {sealed} is missing (it is written last). "
            "Let data preparation finish, or give the folder datasets/<dataset_id>/ itself"
        )
    identity = _read_identity(sealed)
    images = tuple(_read_manifest(folder))
    for name in SPLITS:
        if not any(image.split == name for image in images):
            raise TrainingError(
                f"the dataset {identity} has no image in its split '{name}' ({len(images)} images in all). "
                "Request a dataset with more images"
            )
    return Dataset(id=identity, images=images)


def _read_identity(path: Path) -> str:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON ({error}); make the dataset again") from error
    members = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    identity = members.get("dataset_id")
    if not isinstance(identity, str) or not identity:
        raise TrainingError(f"{path} has no text 'dataset_id'; make the dataset again")
    return identity


def _read_manifest(folder: Path) -> Iterator[BinImage]:
    path = folder / "manifest.jsonl.gz"
    if not path.is_file():
        raise TrainingError(f"{path} is missing from a sealed dataset; give the whole prefix as the channel")
    done = 0
    shards: dict[str, Path] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield _read_line(line, folder=folder, shards=shards)
                done += 1
    except (OSError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path}, after line {done}: {type(error).__name__} {error}; expected a gzip of JSON lines with "
            "id, count, split, key (or shard) and sha256. Make the dataset again"
        ) from error


def _read_line(line: str, *, folder: Path, shards: dict[str, Path]) -> BinImage:
    entry: Any = json.loads(line)
    split = entry["split"]
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is none of {', '.join(SPLITS)}")
    count = entry["count"]
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"count {count!r} is not a number of objects")
    weight = entry.get("weight", 1.0)
    if not isinstance(weight, int | float) or not 1 <= weight <= MOST_WEIGHT:
        raise ValueError(f"weight {weight!r} is not a number from 1 to {MOST_WEIGHT}")
    in_shard = entry["key"] is None
    if in_shard:
        # Asked once a shard, not once an image: on a network disk each question takes its time.
        name = entry["shard"]
        path = shards[name] = shards.get(name) or _existing(folder / name)
    else:
        path = _existing(folder / entry["key"])
    return BinImage(
        id=entry["id"], count=count, split=split, path=path, sha256=entry["sha256"], in_shard=in_shard,
        weight=float(weight),
    )  # fmt: skip


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise TrainingError(f"{path} is in the manifest but not there; give the whole prefix as the channel")
    return path
