"""One image of a source: read whole, and its perceptual hash."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bincount_core.image import ImageFault, decode_upright, read_image
from bincount_core.jpeg import is_jpeg
from bincount_core.limits import PREPARED_BYTES, PREPARED_PIXELS

SIDE = 16
"""Rows of the hash, and signs a row: 256 bits."""
_LEAST = 64  # pixels that are decoded at least, where there are as many


class CheckedImage(NamedTuple):
    """Bytes as they came; `width` and `height` are pixels as stored; `dhash` has 64 hex digits."""

    data: bytes
    width: int
    height: int
    jpeg: bool
    dhash: str


def check_image(data: bytes) -> CheckedImage:
    """Decode the whole of a JPEG, PNG or WebP image once.

    Raises ImageFault: `empty`, `too_large`, `undecodable`.
    """
    if len(data) > PREPARED_BYTES:
        raise ImageFault("too_large", f"it has {len(data)} bytes, at most {PREPARED_BYTES} are taken")
    if data[4:8] == b"ftyp":
        raise ImageFault("undecodable", "it is a HEIC or AVIF image or a video: save it as JPEG, PNG or WebP")
    image = read_image(data, max_pixels=PREPARED_PIXELS)
    pixels = decode_upright(image, least_width=_LEAST, least_height=_LEAST)
    return CheckedImage(data, image.width, image.height, is_jpeg(data), dhash(pixels))


def dhash(pixels: NDArray[np.uint8]) -> str:
    """Whether each of 16 x 16 areas is darker than its right neighbour, as 64 hex digits.

    `pixels` [height, width, 3]. The idea: Krawetz 2013, hackerfactor.com/blog, "Kind of Like That".
    """
    small = Image.fromarray(pixels).convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.int16)
    return np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes().hex()
