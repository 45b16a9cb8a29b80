"""The pixels that are trained on: those of `preprocess` sooner, but not to the last level.

What is judged, and what serves, is decoded by `preprocess` alone. Training may take a shorter way to almost
the same picture, since augmentation then moves, blurs and recolours it by far more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from torch import Tensor

from bintrain.preprocess import preprocess

MOST_PIXELS = 2**26
"""Larger pictures are left to `preprocess`, which knows what to refuse."""
LEAST_SHARE = {8: 1.0, 4: 0.7, 2: 0.7}
"""What an eighth, a quarter and a half must have of the asked width and of the asked height, to do for the
whole. They are decoded sooner. (3/8 and 5/8 are not: there are no vector instructions for them.)"""
BILINEAR_SHARE = 0.9
"""The same for being resized by the contract's filter. Below, that would be softer than what serves."""

_BILINEAR = torch.ops.aten._upsample_bilinear2d_aa.out
_BICUBIC = torch.ops.aten._upsample_bicubic2d_aa.out
_SCAN, _APP1 = 0xDA, 0xE1
"""The markers that begin compressed data, and EXIF or XMP, which may turn a picture (T.81, B.1.1.3)."""


def decode_quickly(data: bytes, *, into: Tensor) -> None:
    """Decode an image's bytes to RGB, uint8 [height, width, 3], nearly as `preprocess` does, in place.

    Three things are quicker. JPEGs are decoded whole, to a half, a quarter or an eighth, not to sizes between
    as `preprocess` does. They are resized with vector instructions, which round differently by one level at
    most. And where no EXIF can be, none is looked for. What is not a plain JPEG, or damaged, goes to
    `preprocess`.

    A half or quarter may be smaller than what is asked. At 224 px it keeps what a whole picture, brought down
    to that size by the contract's filter, has left of its detail: it is as near to the pixels of `preprocess`
    as that is, and as sharp (docs/decisions/0023). Raises TrainingError as `preprocess` does.
    """
    height, width = into.shape[:2]
    decoded = _decode(data, width=width, height=height)
    if decoded is None:
        into.numpy()[...] = preprocess(data, width=width, height=height)
        return
    pixels, part = decoded
    if pixels.shape[:2] == (height, width):
        into.numpy()[...] = pixels
    else:
        small = part > 1 and _share(pixels.shape, width=width, height=height) < BILINEAR_SHARE
        _resize(pixels, into=into, way=_BICUBIC if small else _BILINEAR)


def _decode(data: bytes, *, width: int, height: int) -> tuple[NDArray[np.uint8], int] | None:
    """A plain JPEG's pixels, and which part of its size they are; None for what `preprocess` must see."""
    # Damaged or rare bytes make the decoder raise anything; `preprocess` has the words for it.
    with contextlib.suppress(Exception):
        if (size := _plain_size(data)) is not None:
            part = _part(size, width=width, height=height)
            least_height, least_width = _divided(size, part)
            pixels = simplejpeg.decode_jpeg(
                data, "RGB", fastdct=True, fastupsample=True,
                min_height=least_height, min_width=least_width, min_factor=2,
            )  # fmt: skip
            return pixels, part
    return None


def _part(size: tuple[int, int], *, width: int, height: int) -> int:
    """The smallest part of a picture that will do: 4 for a quarter of height and width, 1 for the whole."""
    for part, least in LEAST_SHARE.items():
        if _share(_divided(size, part), width=width, height=height) >= least:
            return part
    return 1


def _divided(size: tuple[int, int], part: int) -> tuple[int, int]:
    # As libjpeg rounds: up.
    return -(-size[0] // part), -(-size[1] // part)


def _share(size: tuple[int, ...], *, width: int, height: int) -> float:
    """Height and width, of what is asked: the smaller share."""
    return min(size[0] / height, size[1] / width)


def _resize(pixels: NDArray[np.uint8], *, into: Tensor, way: Callable[..., Tensor]) -> None:
    """RGB, uint8 [h, w, 3], to uint8 [height, width, 3], antialiased; Pillow's levels to within one.

    torch.nn.functional.interpolate does the same, but not in place, which costs a fourth more. Both tensors
    must lie in memory as channels_last has them, or it takes three times as long.
    """
    way(_as_batch(torch.as_tensor(pixels)), list(into.shape[:2]), False, out=_as_batch(into))


def _as_batch(image: Tensor) -> Tensor:
    return image.unsqueeze(0).permute(0, 3, 1, 2)


def _plain_size(data: bytes) -> tuple[int, int] | None:
    """Height and width of a JPEG that needs no turning and no conversion that `preprocess` has, else None."""
    if data[:3] != b"\xff\xd8\xff" or _may_be_turned(data):
        return None
    header = simplejpeg.decode_jpeg_header(data)
    height, width = int(header[0]), int(header[1])
    plain = header[2] in ("YCbCr", "Gray", "RGB") and height * width <= MOST_PIXELS
    return (height, width) if plain else None


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
