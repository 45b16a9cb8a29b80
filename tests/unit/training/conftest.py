"""The training code on the path as the toolkit puts it, and small bins that the tests draw themselves."""

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

TRAINING = Path(__file__).parents[3] / "training"
sys.path.insert(0, str(TRAINING))


def draw_bin(count: int, *, seed: int) -> bytes:
    """A JPEG of `count` bright squares on brown."""
    random = np.random.default_rng([seed, count])
    image = Image.new("RGB", (96, 80), (120, 90, 60))
    draw = ImageDraw.Draw(image)
    for slot in random.permutation(6)[:count]:
        x, y = 4 + 31 * (slot % 3), 6 + 38 * (slot // 3)
        draw.rectangle((x, y, x + 22, y + 26), fill=tuple(int(v) for v in random.integers(150, 255, 3)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def write_dataset(
    folder: Path, *, train: list[int], validation: list[int], test: list[int], sealed: bool = True
) -> Path:
    """A dataset as docs/contracts.md has it, with an image for each count of the three lists."""
    lines = []
    for split, counts in (("train", train), ("validation", validation), ("test", test)):
        for count in counts:
            number = len(lines)
            data = draw_bin(count, seed=number)
            key = f"{'train' if split == 'train' else 'val'}/{count}/{number:05d}.jpg"
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            lines.append(
                {
                    "id": f"{number:05d}", "count": count, "split": split,
                    "key": key, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
                    "width": 96, "height": 80,
                }
            )  # fmt: skip
    with gzip.open(folder / "manifest.jsonl.gz", "wt", encoding="utf-8") as manifest:
        manifest.writelines(json.dumps(line) + "\n" for line in lines)
    if sealed:
        (folder / "dataset.json").write_text(json.dumps({"dataset_id": "tiny"}), encoding="utf-8")
    return folder


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Writes a dataset of a few images below tmp_path; keywords as write_dataset's."""

    def make(
        *,
        train: list[int] | None = None,
        validation: list[int] | None = None,
        test: list[int] | None = None,
        sealed: bool = True,
    ) -> Path:
        folder = tmp_path / "dataset"
        folder.mkdir()
        return write_dataset(
            folder,
            train=[1, 2, 3] if train is None else train,
            validation=[1, 2] if validation is None else validation,
            test=[3, 1] if test is None else test,
            sealed=sealed,
        )

    return make


@pytest.fixture
def decoded() -> Callable[..., torch.Tensor]:
    """All pixels [N, size, size, 3] of an Images, by their places, as evaluation gets them."""
    from bintrain.data.data_loader import DataLoader
    from bintrain.data.sampling import ordered_plan

    def read(images: Any) -> torch.Tensor:
        pixels = torch.zeros((len(images), images.size, images.size, 3), dtype=torch.uint8)
        for batch in DataLoader(images, threads=2, pin=False).batches(ordered_plan(images, batch=5)):
            pixels[batch.indices] = batch.pixels
            assert batch.labels.tolist() == [images.labels[index] for index in batch.indices]
        return pixels

    return read


@pytest.fixture(scope="session")
def forty_bins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 bins with 1 or 4 objects: 24 to train on, 8 to choose by, 8 to evaluate by."""
    return write_dataset(
        tmp_path_factory.mktemp("forty"), train=[1, 4] * 12, validation=[1, 4] * 4, test=[4, 1] * 4
    )


@pytest.fixture(scope="session")
def odd_bins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 bins to train on and 7 to choose by: a number that two processes cannot share evenly."""
    return write_dataset(
        tmp_path_factory.mktemp("odd"), train=[1, 4] * 12, validation=[1, 4, 4, 1, 4, 4, 1], test=[4, 1]
    )


def add_member(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    shard.addfile(member, io.BytesIO(data))


def pack_dataset(source: Path, target: Path, *, shards: int = 2) -> Path:
    """The same dataset in the layout `shards`: each split's images in `shards` tars, in another order."""
    (target / "shards").mkdir(parents=True)
    with gzip.open(source / "manifest.jsonl.gz", "rt") as manifest:
        lines: list[dict[str, Any]] = [json.loads(line) for line in manifest]
    for place, line in reversed(list(enumerate(lines))):
        line["shard"] = f"shards/{line['split']}-{place % shards:06d}.tar"
        path = target / line["shard"]
        with tarfile.open(path, "a", format=tarfile.USTAR_FORMAT) as shard:
            add_member(shard, f"{line['id']}.jpg", (source / line["key"]).read_bytes())
            add_member(shard, f"{line['id']}.cls", str(line["count"]).encode())
        line["key"] = None
    with gzip.open(target / "manifest.jsonl.gz", "wt") as manifest:
        manifest.writelines(json.dumps(line) + "\n" for line in lines)
    (target / "dataset.json").write_bytes((source / "dataset.json").read_bytes())
    return target


@pytest.fixture
def packed(forty_bins: Path, tmp_path: Path) -> Path:
    """The forty bins in shards, two a split."""
    return pack_dataset(forty_bins, tmp_path / "packed")


@pytest.fixture
def packed_small(forty_bins: Path, tmp_path: Path) -> Path:
    """The forty bins in small shards: twelve of training images."""
    return pack_dataset(forty_bins, tmp_path / "small", shards=12)
