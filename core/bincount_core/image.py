"""The one reader of images: the header is checked before anything is decoded, then upright RGB pixels."""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from bincount_core.jpeg import for_pillow, is_jpeg, orientation_of, read_header, read_orientation, read_whole

FORMATS = ("JPEG", "PNG", "WEBP")
_SIDEWAYS = frozenset({5, 6, 7, 8})

# Pillow's own limit is a warning at one size and an error at twice that; here the limit is read_image's.
Image.MAX_IMAGE_PIXELS = None

Pixels = NDArray[np.uint8]
Reason = Literal["empty", "undecodable", "too_large"]


class ImageFault(ValueError):
    """Bytes that are not an image to us; `reason` is the word for programs, the text a clause for people."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image as it came, with what its header says: `width` and `height` are pixels as stored.

    `orientation` is the EXIF value from 1 to 8 (1 where there is none). `direct`: a JPEG that libjpeg itself
    converts to RGB; Pillow decodes the rest.
    """

    data: bytes
    width: int
    height: int
    orientation: int
    direct: bool

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height once it is upright."""
        sideways = self.orientation in _SIDEWAYS
        return (self.height, self.width) if sideways else (self.width, self.height)


def read_image(data: bytes, *, max_pixels: int) -> EncodedImage:
    """Check what the header of a JPEG, PNG or WebP image says, without decoding its pixels.

    Raises ImageFault: `empty`, `undecodable`, or `too_large` above `max_pixels`.
    """
    if not data:
        raise ImageFault("empty", "it has no bytes")
    if is_jpeg(data):
        return _read_jpeg(data, max_pixels=max_pixels)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            orientation = orientation_of(image)
    # Hostile bytes make decoders raise anything (OSError, SyntaxError, struct.error): the fault is theirs.
    except Exception as error:
        raise ImageFault("undecodable", "its header is not that of a JPEG, PNG or WebP image") from error
    _check_size(width, height, max_pixels=max_pixels)
    return EncodedImage(data, width, height, orientation, direct=False)


def decode_upright(image: EncodedImage, *, least_width: int, least_height: int, fast: bool = True) -> Pixels:
    """The upright RGB pixels, uint8 `[height, width, 3]`.

    A JPEG is decoded to the smallest of libjpeg's scales that has at least `least_width` and `least_height`
    upright pixels, with its fast DCT and upsampling where `fast`; any other image in full.
    Raises ImageFault `undecodable` where the pixels are damaged or cut short.
    """
    sideways = image.orientation in _SIDEWAYS
    least = (least_width, least_height) if sideways else (least_height, least_width)
    try:
        pixels = _decode_jpeg(image.data, least, fast) if image.direct else _decode_with_pillow(image.data)
    except Exception as error:  # see read_image; only library calls are inside this try
        raise ImageFault("undecodable", f"its pixels cannot be read ({_text(error)})") from error
    return turn_upright(pixels, image.orientation)


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (Exif 2.32, tag 0x0112): sideways ones are transposed, then mirrored."""
    if orientation in _SIDEWAYS:
        pixels = pixels.transpose(1, 0, 2)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _read_jpeg(data: bytes, *, max_pixels: int) -> EncodedImage:
    """Size and colours by libjpeg, which decodes it. Pillow can be made to read another frame header, one
    that lies in a segment which libjpeg never sees: a limit on its size would bound nothing."""
    try:
        header = read_header(data)
    except ValueError as error:
        text = f"its header is not that of a JPEG image ({_text(error)})"
        raise ImageFault("undecodable", text) from error
    _check_size(header.width, header.height, max_pixels=max_pixels)
    orientation = read_orientation(data)
    return EncodedImage(data, header.width, header.height, orientation, direct=not header.cmyk)


def _check_size(width: int, height: int, *, max_pixels: int) -> None:
    if width * height > max_pixels:
        size = f"{width} x {height} = {width * height} pixels"
        raise ImageFault("too_large", f"the image has {size}, at most {max_pixels} are accepted")


def _decode_jpeg(data: bytes, least: tuple[int, int], fast: bool) -> Pixels:
    return read_whole(
        data,
        lambda jpeg: simplejpeg.decode_jpeg(
            jpeg, "RGB", fastdct=fast, fastupsample=fast, min_height=least[0], min_width=least[1]
        ),
    )


def _decode_with_pillow(data: bytes) -> Pixels:
    readable = for_pillow(data) if is_jpeg(data) else data
    with Image.open(io.BytesIO(readable), formats=FORMATS) as image:
        if image.mode.startswith("I"):
            # 16-bit gray: the high byte of each sample; Pillow's own conversion would clip at 255.
            high = (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
            return np.repeat(high[:, :, None], 3, axis=2)
        if image.has_transparency_data:
            opaque = image.convert("RGBA")
            white = Image.new("RGB", image.size, "white")
            white.paste(opaque, mask=opaque.getchannel("A"))
            return np.asarray(white)
        return np.asarray(image.convert("RGB"))


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
