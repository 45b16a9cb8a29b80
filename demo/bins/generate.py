"""Draws images of warehouse bins, in the public bucket's layout.

    python -m demo.bins.generate --out DIR --images 800 --seed 0 [--counts 1-5]

Writes `bin-images/<id>.jpg`, `metadata/<id>.json` and `file_list.json`, as the Amazon Bin Image Dataset
does, so that the demo and the end-to-end tests need neither the network nor images whose licence
forbids shipping them. Every image shows a known number of objects, each of them at least 60 % uncovered
by the others.

Image k depends on (seed, k) alone: asking for more images extends a set and changes none of it. The bytes
are the same for the same versions of Pillow and numpy.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from demo.bins.bin_image import Thing, draw_bin
from demo.bins.tidy_bin import draw_tidy_bin

IDS_PER_RUN = 4
"""Neighbouring ids in a block of 100, before the next block is begun: few, so that a small set has many
blocks."""
BLOCKS = 1000
"""Blocks of 100 ids that five digits can name."""
MAX_IMAGES = BLOCKS * (100 // IDS_PER_RUN) * IDS_PER_RUN

_NAMES: dict[str, str] = {
    "carton": "Plain Shipping Carton",
    "box": "Printed Retail Box",
    "bag": "Soft Goods in a Poly Bag",
    "round": "Moulded Household Container",
}


def generate(*, out: Path, images: int, seed: int, counts: range, tidy: bool = False) -> None:
    """Write `images` bins with `counts` objects each (classes in turn, shuffled) below `out`.

    `tidy` draws bins that are easy to count (demo/bins/tidy_bin.py).

    Raises ValueError for sizes that cannot be made: images outside 1..MAX_IMAGES, counts outside 0..12 or
    empty.
    """
    if not 1 <= images <= MAX_IMAGES:
        raise ValueError(f"images must be 1 to {MAX_IMAGES} (five-digit ids), not {images}")
    if len(counts) == 0 or counts[0] < 0 or counts[-1] > 12:
        raise ValueError(f"counts must be a non-empty range within 0 to 12, not {counts}")
    for folder in ("bin-images", "metadata"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    file_list: dict[str, list[str]] = {str(count): [] for count in counts}
    ids = identities(images=images, seed=seed)
    draw = draw_tidy_bin if tidy else draw_bin
    for k, identity in enumerate(ids):
        count = count_of(k=k, seed=seed, counts=counts)
        things, image, quality, _ = draw(count=count, rng=np.random.default_rng([seed, 1, k]))
        image.save(out / "bin-images" / f"{identity}.jpg", quality=quality)
        _write_json(path=out / "metadata" / f"{identity}.json", value=metadata(things=things))
        file_list[str(count)].append(f"data/metadata/{identity}.json")
    _write_json(
        path=out / "file_list.json", value={count: sorted(paths) for count, paths in file_list.items()}
    )


def identities(*, images: int, seed: int) -> list[str]:
    """Five-digit ids: runs of IDS_PER_RUN neighbours, each run in the next of the blocks that the seed
    shuffled."""
    blocks = np.random.default_rng([seed, 0]).permutation(BLOCKS)
    runs = [divmod(k, IDS_PER_RUN) for k in range(images)]
    return [f"{blocks[run % BLOCKS] * 100 + run // BLOCKS * IDS_PER_RUN + place:05d}" for run, place in runs]


def count_of(*, k: int, seed: int, counts: range) -> int:
    """The number of objects in image k: every run of len(counts) images holds each count once."""
    turn, place = divmod(k, len(counts))
    return counts[int(np.random.default_rng([seed, 2, turn]).permutation(len(counts))[place])]


def metadata(*, things: Sequence[Thing]) -> dict[str, object]:
    """The published form of a bin's metadata; the quantities of the products sum to EXPECTED_QUANTITY."""
    products: dict[str, dict[str, object]] = {}
    quantities = {t.product.asin: 0 for t in things}
    for thing in things:
        product = thing.product
        quantities[product.asin] += 1
        name = f"{_NAMES[product.kind]} {product.asin[-4:]}"
        products[product.asin] = {
            "asin": product.asin,
            "height": {"unit": "IN", "value": round(product.depth * 8, 2)},
            "length": {"unit": "IN", "value": round(product.height * 12, 2)},
            "name": name,
            "normalizedName": name,
            "quantity": quantities[product.asin],
            "weight": {"unit": "pounds", "value": round(product.width * product.height * 4, 2)},
            "width": {"unit": "IN", "value": round(product.width * 12, 2)},
        }
    return {"BIN_FCSKU_DATA": products, "EXPECTED_QUANTITY": len(things)}


def _write_json(*, path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=4, sort_keys=True) + "\n", encoding="utf-8")


def counts_in(text: str) -> range:
    """A range such as 1-5, or a single count, of a command line."""
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a range such as 1-5 or a single count, not {text!r}")
    low = int(found[1])
    return range(low, int(found[2] or low) + 1)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line; a fault in the arguments is one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m demo.bins.generate", description="Draw images of bins.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into; made if missing")
    parser.add_argument("--images", type=int, required=True, help=f"how many, up to {MAX_IMAGES}")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same set (default 0)")
    parser.add_argument(
        "--counts", type=counts_in, default=range(1, 6), help="objects a bin, as 1-5 (the default)"
    )
    arguments = parser.parse_args(argv)
    try:
        generate(out=arguments.out, images=arguments.images, seed=arguments.seed, counts=arguments.counts)
    except ValueError as fault:
        parser.error(str(fault))


if __name__ == "__main__":
    main()
