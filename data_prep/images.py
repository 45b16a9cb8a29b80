"""JPEGs: checked, scaled down, and as thumbnails."""

import io
from typing import NamedTuple

import numpy as np
import simplejpeg
from PIL import Image

from bincount_core.image import ImageFault, decode_upright, read_image
from bincount_core.jpeg import is_jpeg, read_header, require_whole
from bincount_core.limits import PREPARED_PIXELS
from data_prep.request import Stored


class BadImage(ValueError):
    """The image is rejected; `reason` is its code in the rejected list, the text its detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Jpeg(NamedTuple):
    """A checked JPEG: pixels as stored in the file, before an EXIF orientation is applied."""

    data: bytes
    width: int
    height: int


def check(data: bytes) -> Jpeg:
    """Decode the whole of it once. Raises BadImage: empty, not_jpeg, too_large or undecodable."""
    if not data:
        raise BadImage("empty", "zero bytes")
    if not is_jpeg(data):
        raise BadImage("not_jpeg", f"begins with {data[:8].hex()}, not with a JPEG's ffd8ff")
    try:
        header = read_header(data)
    except ValueError as error:
        raise BadImage("undecodable", f"the header: {error}") from error
    width, height = header.width, header.height
    if width * height > PREPARED_PIXELS:
        raise BadImage("too_large", f"{width}x{height} pixels; at most {PREPARED_PIXELS} are decoded")
    try:
        require_whole(data, header)
    except ValueError as error:
        raise BadImage("undecodable", str(error)) from error
    return Jpeg(data, width, height)


def shrink(jpeg: Jpeg, stored: Stored) -> Jpeg:
    """The image upright in RGB with a short side of `stored.short_side`; with `stored.square` neither side
    longer than that. One that is small enough unchanged."""
    side, shape = stored.short_side, (jpeg.width, jpeg.height)
    if (max(shape) if stored.square else min(shape)) <= side:
        return jpeg
    if stored.square:
        # One pixel more than wanted: the decoder's share of it may be rounded down.
        image = _pixels(jpeg, short_side=min(side + 1, *shape))
        width, height = (min(length, side) for length in image.size)
    else:
        image = _pixels(jpeg, short_side=side)
        scale = side / min(image.size)
        width, height = (max(1, round(length * scale)) for length in image.size)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    data = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image),
        quality=stored.quality,
        colorspace="RGB",
        colorsubsampling="420",
        fastdct=False,
    )
    return Jpeg(data, width, height)


def thumbnail(data: bytes, *, height: int) -> bytes:
    """A small JPEG of an image that `check` has taken: upright, at most `height` pixels high."""
    jpeg = check(data)
    image = _pixels(jpeg, short_side=min(height, jpeg.width, jpeg.height))
    image.thumbnail((10 * height, height))
    small = io.BytesIO()
    image.save(small, "JPEG", quality=80)
    return small.getvalue()


def _pixels(jpeg: Jpeg, *, short_side: int) -> Image.Image:
    """The image upright in RGB, its short side no shorter than `short_side`."""
    try:
        image = read_image(jpeg.data, max_pixels=PREPARED_PIXELS)
        width, height = image.upright_size
        # In whole numbers: 509 * (256 / 509) is a little below 256, and the decoder would give 255.
        least_width, least_height = (length * short_side // min(width, height) for length in (width, height))
        pixels = decode_upright(image, least_width=least_width, least_height=least_height, fast=False)
    except ImageFault as error:
        raise BadImage("undecodable", str(error)) from error
    return Image.fromarray(pixels)
