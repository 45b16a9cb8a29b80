"""One way from stored images to batches, on one core, in a process of its own, so that each runs as it comes.

    python benchmarks/training_pipeline.py seed|floats|bytes|job DATASET_FOLDER

Makes one pass over the same 480 training images for each line on its standard input and answers with a JSON
line: images, seconds and CPU seconds of that pass. Batches of 16 at 224 px.

seed    torchvision's ImageFolder with PIL transforms in a DataLoader, to normalised floats, as the seed
        project wrote it; nothing of this project is imported.
bytes   The job's loader without images in memory: what the device that trains gets, which makes floats.
floats  The same and normalised floats made of it, on the same core.
job     Floats over the job's default number of epochs: images that fit in memory are decoded in the first.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from training_step import BATCH, SIZE

ROOT = Path(__file__).resolve().parent.parent
WAYS = ("seed", "bytes", "floats", "job")
IMAGES = 480
EPOCHS = 12
"""The job's default."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Answer each line of stdin with the cost of one pass."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("dataset", type=Path)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    run = _seed(options.dataset) if options.way == "seed" else _ours(options.dataset, way=options.way)
    for _ in sys.stdin:
        wall, cpu, images = time.perf_counter(), time.process_time(), 0
        for batch in run():
            images += len(batch)
        spent = {
            "images": images,
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
        }
        print(json.dumps(spent), flush=True)


def _seed(dataset: Path) -> Callable[[], Iterator[Any]]:
    import torchvision
    from torchvision import transforms

    ways = transforms.Compose(
        [transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    folder = torchvision.datasets.ImageFolder(str(dataset / "train"), transform=ways)
    some = torch.utils.data.Subset(folder, torch.randperm(len(folder))[:IMAGES].tolist())

    def run() -> Iterator[Any]:
        loader = torch.utils.data.DataLoader(some, batch_size=BATCH, shuffle=True, drop_last=True)
        return (pixels for pixels, _ in loader)

    return run


def _ours(folder: Path, *, way: str) -> Callable[[], Iterator[Any]]:
    sys.path.insert(0, str(ROOT / "training"))
    from bintrain.data.classes import Classes
    from bintrain.data.data_loader import DataLoader as OurLoader
    from bintrain.data.dataset import read_dataset
    from bintrain.data.images import Images
    from bintrain.data.sampling import training_plan
    from bintrain.engine.resources import freeze_garbage_collector, keep_freed_memory

    keep_freed_memory()
    torch.use_deterministic_algorithms(True, warn_only=True)  # as the job does
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    dataset = read_dataset(folder)
    classes = Classes(counts=tuple(sorted({image.count for image in dataset.images})), open_top=False)
    freeze_garbage_collector()
    # A row of pixels is a long vector; three channels at a time would take four times as long.
    scale = torch.tensor([1 / (255 * std) for std in STD]).repeat(SIZE)
    shift = torch.tensor([-mean / std for mean, std in zip(MEAN, STD, strict=True)]).repeat(SIZE)

    def run() -> Iterator[Any]:
        images = Images(
            dataset.split("train")[:IMAGES], classes=classes, size=SIZE, keep=way == "job", quick=True
        )
        for epoch in range(1, EPOCHS + 1 if way == "job" else 2):
            plan = training_plan(images, seed=0, epoch=epoch, batch=BATCH, first=0, rank=0, size=1)
            for batch in OurLoader(images, threads=1, pin=False).batches(plan):
                yield batch.pixels if way == "bytes" else _normalised(batch.pixels, scale, shift)

    return run


def _normalised(pixels: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """uint8 [n, SIZE, SIZE, 3] -> float [n, 3, SIZE, SIZE], what `ToTensor` and `Normalize` give."""
    floats = torch.empty(pixels.shape)
    # An image at a time, so that the second pass finds the first one's floats in the CPU's cache.
    for image, stored in zip(floats.view(-1, SIZE, SIZE * 3), pixels.view(-1, SIZE, SIZE * 3), strict=True):
        torch.addcmul(shift, image.copy_(stored), scale, out=image)
    return floats.permute(0, 3, 1, 2)


if __name__ == "__main__":
    main()
