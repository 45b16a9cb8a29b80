"""Preprocessing for training: nearly the pixels of `preprocess`, in half the time.

What is evaluated, and what serves, is decoded by `preprocess` alone. Training may take a shorter way to
almost the same image, since augmentation then moves, blurs and recolours it by far more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from torch import Tensor

from bincount_core.image import read_image
from bincount_core.limits import MOST_PIXELS
from bincount_core.preprocessing import preprocess

PLAIN_PIXELS = 2**26
"""Larger images are left to `preprocess`, which knows what to reject."""
LEAST_SHARE = {8: 1.0, 4: 0.7, 2: 0.6}
"""What an eighth, a quarter and a half must have of the asked width and of the asked height, to be enough.

They are decoded sooner than the whole. (3/8 and 5/8 are not: there are no vector instructions for them.) What
lower shares cost in likeness to what serves: docs/decisions/0023.
"""

_Kernel = Callable[..., Tensor]
_BILINEAR: _Kernel = torch.ops.aten._upsample_bilinear2d_aa.out
_BICUBIC: _Kernel = torch.ops.aten._upsample_bicubic2d_aa.out
_SHARP_BICUBIC: _Kernel = torch.ops.aten.upsample_bicubic2d.out
"""Sharper (a = -0.75, not -0.5), without antialiasing: for parts that are small enough to need none. (With
2/3 of the pixels and `LEAST_SHARE` of each side, no side has over 1.12 times what is asked.)"""
_SCAN = b"\xff\xda"
"""The marker that begins compressed data (T.81, B.1.1.3)."""
_PASSED = bytes(0xC0 <= marker <= 0xFE and marker not in (*range(0xD0, 0xDB), 0xE1) for marker in range(256))
"""1 for markers of segments to pass over before that. 0 for itself, for markers without a length (restarts,
begin and end of an image) and for APP1: EXIF or XMP, which may turn an image."""


def decode_quickly(data: bytes, *, into: Tensor) -> None:
    """Decode an image's bytes to RGB, uint8 [height, width, 3], nearly as `preprocess` does, in place.

    Three things are quicker. JPEGs are decoded whole, to a half, a quarter or an eighth, not to sizes between
    as `preprocess` does. They are resized with vector instructions, which round differently (by one level,
    seldom two). And no EXIF is looked for where none can be, nor damage beside the data. What is no
    plain JPEG, or damaged, goes to `preprocess`, and raises ImageFault as that does.

    A half or quarter may be smaller than what is asked. It keeps what a whole image, brought down to that
    size by the contract's filter, has left of its detail: it is as near to the pixels of `preprocess` as that
    is, and nearly as sharp (docs/decisions/0023). `into` must be contiguous, else ValueError.
    """
    if not into.is_contiguous():
        raise ValueError("decode_quickly writes to contiguous memory only")
    height, width, _ = into.shape
    decoded = _decode(data, width=width, height=height)
    if decoded is None:
        image = read_image(data, max_pixels=MOST_PIXELS)
        into.numpy()[...] = preprocess(image, width=width, height=height)
    elif decoded.pixels.shape[:2] == (height, width):
        into.numpy()[...] = decoded.pixels
    else:
        _resize(decoded, into=into)


class _Decoded(NamedTuple):
    pixels: NDArray[np.uint8]
    """[h, w, 3], with h and w rounded up."""
    part: int
    """1 for the whole, 2 for a half of its height and width, 4, 8."""
    height: float
    width: float
    """Not rounded: 2.5 for the half of 5."""


def _decode(data: bytes, *, width: int, height: int) -> _Decoded | None:
    """A plain JPEG, as much of it as is enough; None for what `preprocess` must see."""
    try:
        if (size := _plain_size(data)) is None:
            return None
        part = _smallest_part(min(size[0] / height, size[1] / width))
        pixels = simplejpeg.decode_jpeg(
            data, "RGB", fastdct=True, fastupsample=True,
            min_height=-(-size[0] // part), min_width=-(-size[1] // part), min_factor=2,
        )  # fmt: skip
    except Exception:  # damaged or rare bytes make the decoder raise anything; `preprocess` has the words
        return None
    return _Decoded(pixels, part, size[0] / part, size[1] / part)


def _smallest_part(share: float) -> int:
    for part, least in LEAST_SHARE.items():
        if share >= least * part:
            return part
    return 1


def _resize(decoded: _Decoded, *, into: Tensor) -> None:
    """Write an image to uint8 [height, width, 3], in place, by the kernel of `_kernel_for`.

    torch.nn.functional.interpolate does the same, but not in place, which costs a fourth more.
    """
    height, width, _ = into.shape
    kernel, scales = _kernel_for(decoded, height=height, width=width)
    # Both as [1, 3, h, w] in torch's channels_last, for which it has vector instructions.
    source = torch.as_tensor(decoded.pixels[None].transpose(0, 3, 1, 2))
    kernel(source, [height, width], False, *scales, out=into.unsqueeze(0).permute(0, 3, 1, 2))


def _kernel_for(
    decoded: _Decoded, *, height: int, width: int
) -> tuple[_Kernel, tuple[float | None, float | None]]:
    """What brings an image to a size, and the scales if not those of its pixels: the contract's filter
    (bilinear, antialiased), unless it is a part that must be enlarged.

    Bilinear would leave that softer than what serves, so it is done by bicubic, and by the sharper one where
    less than 2/3 of the pixels asked for are there. And its last row and column are rounded up: without the
    scales they would be squeezed in, and the others moved by up to a pixel. (The contract squeezes them in
    where it decodes the same part.)
    """
    share = decoded.height * decoded.width / (height * width)
    if decoded.part == 1 or share >= 1:
        return _BILINEAR, (None, None)
    scales = (height / decoded.height, width / decoded.width)
    return _SHARP_BICUBIC if share < 2 / 3 else _BICUBIC, scales


def _plain_size(data: bytes) -> tuple[int, int] | None:
    """Height and width of a JPEG that needs no turning and no conversion that `preprocess` has, else None."""
    if data[:3] != b"\xff\xd8\xff" or _may_be_turned(data):
        return None
    header = simplejpeg.decode_jpeg_header(data)
    height, width = int(header[0]), int(header[1])
    plain = header[2] in ("YCbCr", "Gray", "RGB") and height * width <= PLAIN_PIXELS
    return (height, width) if plain else None


def _may_be_turned(data: bytes) -> bool:
    """Whether there is an APP1 segment before the image data, or anything unusual."""
    at, end = 2, len(data) - 4
    while at <= end and data[at] == 0xFF and _PASSED[data[at + 1]]:
        at += 2 + (data[at + 2] << 8) + data[at + 3]
    return data[at : at + 2] != _SCAN
