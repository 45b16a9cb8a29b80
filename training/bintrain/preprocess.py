"""Preprocessing `dct-bilinear` version 1, word for word as docs/contracts.md has it."""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bincount_core.jpeg import for_pillow, is_jpeg, read_header, read_orientation, read_whole
from bintrain.errors import TrainingError

NAME = "dct-bilinear"
VERSION = 1

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the picture upright (EXIF 2.32, table 4.6.4)."""


def preprocess(data: bytes, *, width: int, height: int) -> NDArray[np.uint8]:
    """Decode an image's bytes to RGB, uint8 [height, width, 3], upright; the aspect ratio is not kept.

    Raises TrainingError when the bytes are not an image that can be decoded.
    """
    try:
        image = _decode(data, width=width, height=height)
    except UnidentifiedImageError as error:  # its own message names the buffer that the bytes lie in
        raise TrainingError(f"not a readable image ({len(data)} bytes): of no known format") from error
    # Damaged bytes make decoders raise anything (ValueError, OSError, struct.error, zlib.error): whatever it
    # is, the bytes are at fault. Only library calls stand inside this try.
    except Exception as error:
        raise TrainingError(f"not a readable image ({len(data)} bytes): {error}") from error
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _decode(data: bytes, *, width: int, height: int) -> Image.Image:
    if is_jpeg(data):
        if not read_header(data).cmyk:
            return _decode_jpeg(data, width=width, height=height)
        data = for_pillow(data)
    with Image.open(io.BytesIO(data)) as opened:
        return _to_rgb(ImageOps.exif_transpose(opened))


def _decode_jpeg(data: bytes, *, width: int, height: int) -> Image.Image:
    orientation = read_orientation(data)
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    pixels = read_whole(
        data,
        lambda jpeg: simplejpeg.decode_jpeg(
            jpeg, "RGB", fastdct=True, fastupsample=True, min_height=height, min_width=width
        ),
    )
    image = Image.fromarray(pixels)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey: the high byte of each sample; Pillow's own conversion would clip at 255.
        high = (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        return Image.fromarray(high).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("RGB")
