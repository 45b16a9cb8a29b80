"""The pixels that are trained on: those of `preprocess` sooner, but not to the last level.

What is judged, and what serves, is decoded by `preprocess` alone. Training may take a shorter way to almost
the same picture, since augmentation then moves, blurs and recolours it by far more.
"""

from __future__ import annotations

import contextlib

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from bintrain.preprocess import preprocess

try:
    from bintrain.simd_resize import resize
except ModuleNotFoundError as missing:  # there is no wheel for Linux on ARM; Pillow takes three times as long
    if missing.name != "cykooz_resizer":
        raise

    def resize(pixels: NDArray[np.uint8], *, width: int, height: int) -> NDArray[np.uint8]:
        """As bintrain.simd_resize has it."""
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


MOST_PIXELS = 2**26
"""Larger pictures are left to `preprocess`, which knows what to refuse."""

_SCAN, _APP1 = 0xDA, 0xE1
"""The markers that begin compressed data, and EXIF or XMP, which may turn a picture (T.81, B.1.1.3)."""


def decode_quickly(data: bytes, *, width: int, height: int) -> NDArray[np.uint8]:
    """Decode an image's bytes to RGB, uint8 [height, width, 3], nearly as `preprocess` does.

    Three things are quicker. JPEGs are decoded whole or to at most a half; the sizes between, which
    `preprocess` takes, cost the decoder more than the whole (it has no vector instructions for them). They
    are resized by the same filter with vector instructions, which rounds differently by one level at most.
    And where no EXIF can be, none is looked for. What is not a plain JPEG, or damaged, goes to `preprocess`.

    On 548 real bins at 224 px what comes out differs from the whole image, resized by Pillow, by 1.28 of 255
    levels on average; what `preprocess` gives by 1.61. Raises TrainingError as that does.
    """
    pixels = _decode(data, width=width, height=height)
    if pixels is None:
        return preprocess(data, width=width, height=height)
    return pixels if pixels.shape[:2] == (height, width) else resize(pixels, width=width, height=height)


def _decode(data: bytes, *, width: int, height: int) -> NDArray[np.uint8] | None:
    """A plain JPEG's pixels, at least so large where the picture is; None for what `preprocess` must see."""
    # Damaged or rare bytes make the decoder raise anything; `preprocess` has the words for it.
    with contextlib.suppress(Exception):
        if _is_plain(data):
            return simplejpeg.decode_jpeg(
                data, "RGB", fastdct=True, fastupsample=True,
                min_height=height, min_width=width, min_factor=2,
            )  # fmt: skip
    return None


def _is_plain(data: bytes) -> bool:
    """Whether these are a JPEG's bytes that need no turning and no conversion that `preprocess` has."""
    if data[:3] != b"\xff\xd8\xff" or _may_be_turned(data):
        return False
    header = simplejpeg.decode_jpeg_header(data)
    return header[2] in ("YCbCr", "Gray", "RGB") and int(header[0]) * int(header[1]) <= MOST_PIXELS


def _may_be_turned(data: bytes) -> bool:
    """Whether there is an APP1 segment before the picture, or anything unusual."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _SCAN:
            return False
        if not 0xC0 <= marker <= 0xFE or marker == _APP1:
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return True
