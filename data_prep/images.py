"""Images: checked, made JPEGs, scaled down, and as thumbnails."""

import io
from typing import NamedTuple

import numpy as np
import simplejpeg
from PIL import Image

from bincount_core.image import ImageFault, decode_upright, read_image
from bincount_core.jpeg import is_jpeg, read_header, require_whole
from bincount_core.limits import PREPARED_PIXELS
from bincount_sources.image import check_image
from data_prep.request import Stored

QUALITY = 95
"""Of a JPEG that is made of a PNG or WebP image of which no size was asked for."""


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


def check_own(data: bytes) -> tuple[Jpeg, str]:
    """The same for an own source's image, a JPEG, PNG or WebP image, with its perceptual hash.

    One that is not a JPEG is still its own bytes: `to_jpeg` makes it one.
    """
    try:
        image = check_image(data)
    except ImageFault as fault:
        raise BadImage(fault.reason, str(fault)) from fault
    return Jpeg(image.data, image.width, image.height), image.dhash


def to_jpeg(image: Jpeg, stored: Stored | None) -> Jpeg:
    """The image as it is kept: a JPEG unchanged or as `stored` says, any other image as a JPEG. Raises
    BadImage."""
    if is_jpeg(image.data):
        return image if stored is None else shrink(image, stored)
    if stored is not None and not _is_small(image, stored):
        return shrink(image, stored)
    pixels = _pixels(image, short_side=min(image.width, image.height))
    return _encode(pixels, quality=QUALITY if stored is None else stored.quality)


def shrink(jpeg: Jpeg, stored: Stored) -> Jpeg:
    """The image upright in RGB with a short side of `stored.short_side`; with `stored.square` neither side
    longer than that. One that is small enough unchanged."""
    side, shape = stored.short_side, (jpeg.width, jpeg.height)
    if _is_small(jpeg, stored):
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
    return _encode(image, quality=stored.quality)


def _is_small(image: Jpeg, stored: Stored) -> bool:
    shape = image.width, image.height
    return (max(shape) if stored.square else min(shape)) <= stored.short_side


def _encode(image: Image.Image, *, quality: int) -> Jpeg:
    data = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image),
        quality=quality,
        colorspace="RGB",
        colorsubsampling="420",
        fastdct=False,
    )
    return Jpeg(data, *image.size)


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
