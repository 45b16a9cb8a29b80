"""Is it a JPEG that decodes, how large, and the same picture smaller."""

import io
from typing import NamedTuple

import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from data_prep.request import Stored

MOST_BYTES = 25_000_000
"""Refused before it is fetched; the largest original known has 1 MB."""

MOST_PIXELS = 50_000_000
"""Refused from the header, before anything is decoded; the largest original known has about 1 megapixel."""


class BadPicture(ValueError):
    """The image is refused; `reason` is the word for the rejected list, the text its detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Picture(NamedTuple):
    """A checked JPEG: pixels as stored in the file, before an EXIF orientation is applied."""

    data: bytes
    width: int
    height: int


def check(data: bytes) -> Picture:
    """Decode the whole of it once. Raises BadPicture: empty, not_jpeg, too_large or undecodable."""
    if not data:
        raise BadPicture("empty", "zero bytes")
    if not data.startswith(b"\xff\xd8\xff"):
        raise BadPicture("not_jpeg", f"begins with {data[:8].hex()}, not with a JPEG's ffd8ff")
    try:
        header = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that it has no name for
        raise BadPicture("undecodable", f"the header: {error}") from error
    height, width, colours = int(header[0]), int(header[1]), str(header[2])
    if width * height > MOST_PIXELS:
        raise BadPicture("too_large", f"{width}x{height} pixels; at most {MOST_PIXELS} are decoded")
    _decode(data, "CMYK" if colours in ("CMYK", "YCCK") else "GRAY")
    return Picture(data, width, height)


def shrink(picture: Picture, stored: Stored) -> Picture:
    """The picture upright in RGB with a short side of `stored.short_side`; with `stored.square` neither side
    longer than that. One that is small enough unchanged."""
    side, shape = stored.short_side, (picture.width, picture.height)
    if (max(shape) if stored.square else min(shape)) <= side:
        return picture
    if stored.square:
        # One pixel more than wanted: the decoder's share of it may be rounded down.
        image = _pixels(picture, short_side=min(side + 1, *shape))
        width, height = (min(length, side) for length in image.size)
    else:
        image = _pixels(picture, short_side=side)
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
    return Picture(data, width, height)


def _decode(data: bytes, colours: str) -> None:
    # All of the entropy-coded data is read; the inverse DCT is spared by asking for the smallest scale.
    try:
        simplejpeg.decode_jpeg(data, colours, fastdct=True, fastupsample=True, min_height=1, min_width=1)
    except ValueError as error:
        raise BadPicture("undecodable", str(error)) from error


def _pixels(picture: Picture, *, short_side: int) -> Image.Image:
    opened = Image.open(io.BytesIO(picture.data))
    if opened.mode == "CMYK":
        return ImageOps.exif_transpose(opened).convert("RGB")
    factor = short_side / min(picture.width, picture.height)
    least_height, least_width = int(picture.height * factor), int(picture.width * factor)
    pixels = simplejpeg.decode_jpeg(picture.data, "RGB", min_height=least_height, min_width=least_width)
    image = Image.fromarray(pixels)
    orientation = opened.getexif().get(0x0112, 1)
    turned = _TURNS.get(orientation)
    return image if turned is None else image.transpose(turned)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an EXIF orientation upright (EXIF 2.3, tag 0x0112)."""
