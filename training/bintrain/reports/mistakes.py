"""The contact sheet of the worst mistakes: what a person looks at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from bincount_core.image import read_image
from bincount_core.limits import MOST_PIXELS
from bincount_core.preprocessing import preprocess
from bintrain.data.classes import Classes
from bintrain.evaluation.answers import Answers

MOST = 20
COLUMNS = 5
TILE = (220, 176)
"""An image's box, pixels."""

CAPTION = 50
MARGIN = 12
INK, SOFT, PAPER, BOX, WRONG = "#22262b", "#667078", "#ffffff", "#f0f1f3", "#b34700"


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer: the image's place in its split, class indices, confidence."""

    index: int
    true: int
    predicted: int
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Tile:
    """An image (a JPEG's bytes) and the words below it."""

    data: bytes
    title: str
    subtitle: str


def worst_mistakes(
    found: Answers, true: NDArray[np.int64], *, classes: Classes, most: int = MOST
) -> list[Mistake]:
    """Wrong answers, those furthest off first; among equals the more confident ones first.

    `true` are class indices [N].
    """
    off = np.abs(classes.values[found.predicted] - classes.values[true])
    order = np.lexsort((-found.confidence, -off))
    wrong = [int(index) for index in order if found.predicted[index] != true[index]]
    return [
        Mistake(
            index=index,
            true=int(true[index]),
            predicted=int(found.predicted[index]),
            confidence=float(found.confidence[index]),
        )
        for index in wrong[:most]
    ]


def draw_contact_sheet(tiles: Sequence[Tile], *, empty: str, path: Path) -> None:
    """Write the tiles, COLUMNS a row, as one JPEG; with no tile, the words `empty`."""
    columns = min(COLUMNS, max(len(tiles), 3))
    rows = -(-len(tiles) // columns)
    width, height = TILE[0] + MARGIN, TILE[1] + CAPTION + MARGIN
    sheet = Image.new("RGB", (columns * width + MARGIN, rows * height + MARGIN if tiles else CAPTION), PAPER)
    draw = ImageDraw.Draw(sheet)
    if not tiles:
        draw.text((MARGIN, MARGIN), empty, fill=INK, font=ImageFont.load_default(16))
    for place, tile in enumerate(tiles):
        left, top = MARGIN + place % columns * width, MARGIN + place // columns * height
        sheet.paste(_fitted(tile.data), (left, top))
        below = top + TILE[1] + 4
        draw.text((left, below), tile.title, fill=WRONG, font=ImageFont.load_default(18))
        draw.text((left, below + 22), tile.subtitle, fill=SOFT, font=ImageFont.load_default(15))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, "JPEG", quality=85)


def _fitted(data: bytes) -> Image.Image:
    image = read_image(data, max_pixels=MOST_PIXELS)
    width, height = image.upright_size
    scale = min(TILE[0] / width, TILE[1] / height)
    # By the job's own decoder: another one may reject, at the very end, what could be trained on.
    pixels = preprocess(image, width=max(1, round(width * scale)), height=max(1, round(height * scale)))
    return ImageOps.pad(Image.fromarray(pixels), TILE, color=BOX)
