"""The drawn bins that the page offers: drawn anew in a moment; the model learned from none of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from demo.bins.bin_image import draw_bin

FOLDER = Path(__file__).with_name("examples")
SEED = 99
QUALITY = 58
"""Of the JPEGs: they are a part of the page's first load."""
EXAMPLES = ((3, 3), (2, 4), (4, 4), (6, 9))
"""(objects in the bin, the number that a list names); a match, a mismatch,
a hard one, and a number that the model cannot say."""


def write(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Draw the examples into `folder`, with examples.json, which lists them; the list."""
    folder.mkdir(parents=True, exist_ok=True)
    listed: list[dict[str, Any]] = []
    for number, (count, expected) in enumerate(EXAMPLES, start=1):
        drawn = draw_bin(count=count, rng=np.random.default_rng([SEED, number]))
        name = f"bin-{number}.jpg"
        drawn.image.save(folder / name, quality=QUALITY, optimize=True)
        listed.append({"file": name, "expected": expected})
    (folder / "examples.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    return listed


def read(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The list of the examples in `folder`."""
    listed: list[dict[str, Any]] = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    return listed
