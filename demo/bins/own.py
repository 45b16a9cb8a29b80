"""Images of bins that never were, as a warehouse may have them on a disk: any names, and a CSV of counts.

    python -m demo.bins.own --out DIR --images 600 --seed 0 [--counts 1-3]

Writes `DIR/photos/` and `DIR/labels.csv` with `image,count,group`, for docs/own-bins.md and its test. Every
bin is photographed three times and is a group; a third of the images are PNG, a third WebP.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from demo.bins.generate import count_of, counts_in
from demo.bins.tidy_bin import draw_tidy_bin

IMAGES_OF_A_BIN = 3
SHELVES = 8
_SUFFIXES = ("jpg", "png", "webp")


def draw(*, out: Path, images: int, seed: int, counts: range) -> None:
    """Write `images` images with `counts` objects each below `out`, and their table."""
    with _made(out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("image", "count", "group"))
        for k in range(images):
            count = count_of(k=k, seed=seed, counts=counts)
            _, image, quality, _ = draw_tidy_bin(count=count, rng=np.random.default_rng([seed, 3, k]))
            bin_, shot = divmod(k, IMAGES_OF_A_BIN)
            name = f"shelf {bin_ % SHELVES}/bin {bin_}, {shot}.{_SUFFIXES[shot % len(_SUFFIXES)]}"
            image.save(_made(out / "photos" / name), quality=quality)
            table.writerow((name, count, f"bin {bin_}"))


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.bins.own", description="Draw images and a table.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into; made if missing")
    parser.add_argument("--images", type=int, required=True, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same set (default 0)")
    parser.add_argument("--counts", type=counts_in, default=range(1, 4), help="objects a bin (default 1-3)")
    arguments = parser.parse_args(argv)
    draw(out=arguments.out, images=arguments.images, seed=arguments.seed, counts=arguments.counts)


if __name__ == "__main__":
    main()
