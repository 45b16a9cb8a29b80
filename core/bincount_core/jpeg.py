"""JPEGs: size, orientation, and whole image data. Faults beside the data are allowed; a cut JPEG is an error.

docs/decisions/0034-a-jpeg-is-read-if-its-image-data-is-complete.md
"""

import io
import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import simplejpeg
from PIL import Image

from bincount_core.jpeg_repair import decode_least, tidied, without_strays

ORIENTATION = 0x0112
"""The EXIF tag."""
MOST_STRAY_BYTES = 4
"""Bytes allowed between image data and end marker, beside zeros; one flipped bit leaves more (157 of 160)."""

_STRAY_AT_END = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_T = TypeVar("_T")


class Header(NamedTuple):
    """Pixels as stored, before an EXIF orientation; `colours` is YCbCr, RGB, Gray, CMYK or YCCK."""

    height: int
    width: int
    colours: str

    @property
    def cmyk(self) -> bool:
        """Whether it has four inks, which libjpeg does not convert to RGB."""
        return self.colours in ("CMYK", "YCCK")


def is_jpeg(data: bytes) -> bool:
    """Whether the bytes begin as a JPEG does."""
    return data[:3] == b"\xff\xd8\xff"


def read_header(data: bytes) -> Header:
    """A JPEG's size and colours as libjpeg reads them. Raises ValueError with the reason where it cannot."""
    try:
        try:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        except ValueError:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(tidied(data))
    except KeyError as error:
        raise ValueError("its colour space or chroma subsampling has no name") from error
    return Header(int(height), int(width), str(colours))


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation of an image that Pillow opened, 1 to 8.

    One that is unreadable or out of range means upright (1), as in viewers: EXIF is an annotation, an image
    can be read without it.
    """
    try:
        value: object = image.getexif().get(ORIENTATION, 1)
    except Exception:  # over damaged EXIF Pillow raises anything
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read_orientation(data: bytes) -> int:
    """A JPEG's EXIF orientation as `orientation_of`, whatever lies beside its image data."""
    for attempt in (lambda: data, lambda: tidied(data)):
        try:
            with Image.open(io.BytesIO(attempt()), formats=("JPEG",)) as image:
                return orientation_of(image)
        except Exception:  # Pillow does not open every JPEG that libjpeg reads, and raises anything
            continue
    return 1


def read_whole(data: bytes, decode: Callable[[bytes], _T]) -> _T:
    """`decode(data)`, or what it gives for the same image without the faults beside it.

    `decode` raises ValueError at libjpeg's first warning. Raises ValueError where the image data
    itself is cut or damaged.
    """
    try:
        return decode(data)
    except ValueError:
        pass  # libjpeg warns alike of faults beside the data and of cut data: the tidied image decides
    whole = tidied(data)
    try:
        return decode(whole)
    except ValueError as error:
        fault = error
    stray = _STRAY_AT_END.search(str(fault))
    if stray is not None and int(stray[1]) <= MOST_STRAY_BYTES:
        return decode(whole[: -2 - int(stray[1])] + whole[-2:])
    if "extraneous" not in str(fault):
        raise fault
    try:
        return decode(tidied(data, unpadded=True))
    except ValueError:
        return decode(without_strays(whole))


def require_whole(data: bytes, header: Header) -> None:
    """Have all of a JPEG's data read, at the least cost. Raises ValueError as `read_whole`."""
    read_whole(data, lambda jpeg: decode_least(jpeg, "CMYK" if header.cmyk else "GRAY"))


def for_pillow(data: bytes) -> bytes:
    """A CMYK JPEG such that Pillow, which converts inks but heeds no warning, reads it.

    Raises ValueError as `read_whole`.
    """
    read_whole(data, lambda jpeg: decode_least(jpeg, "CMYK"))
    return tidied(data)
