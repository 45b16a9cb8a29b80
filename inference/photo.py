"""An encoded photograph: its header checked before anything is decoded, then its pixels (dct-bilinear v1)."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageFile

from bincount_core.jpeg import ORIENTATION, for_pillow, is_jpeg, read_header, read_orientation, read_whole
from inference.refusal import Refusal

FORMATS = ("JPEG", "PNG", "WEBP")
_SIDEWAYS = frozenset({5, 6, 7, 8})

# Pillow's own limit is a warning at one size and an error at twice that; here the limit is read_photo's.
Image.MAX_IMAGE_PIXELS = None

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Photo:
    """An image as it came, with what its header says: `width` and `height` are pixels as stored.

    `orientation` is the EXIF value from 1 to 8 (1 where there is none).
    """

    data: bytes
    format: str
    mode: str
    width: int
    height: int
    orientation: int


def read_photo(data: bytes, *, max_pixels: int) -> Photo:
    """Check what the header of an image says, without decoding its pixels.

    Raises Refusal: 400 `empty_body` or `undecodable_image`, 413 `image_too_large` above `max_pixels`.
    """
    if not data:
        raise Refusal(400, "empty_body", "the body is empty: send the bytes of one image", of_image=True)
    photo = _read_header(data)
    width, height = photo.width, photo.height
    if width * height > max_pixels:
        raise Refusal(
            413,
            "image_too_large",
            f"the image has {width} x {height} = {width * height} pixels, at most {max_pixels} are "
            "accepted: send it scaled down",
            of_image=True,
        )
    return photo


def decode(photo: Photo, *, width: int, height: int) -> Pixels:
    """The upright RGB pixels of a photo at the network's size: uint8 `[height, width, 3]`.

    Preprocessing `dct-bilinear` version 1, word for word as in docs/contracts.md.
    Raises Refusal 400 `undecodable_image` where the pixels are damaged or cut short.
    """
    sideways = photo.orientation in _SIDEWAYS
    target = (width, height) if sideways else (height, width)
    try:
        # MPO is a JPEG with further pictures behind it, as telephones write them.
        if photo.format in ("JPEG", "MPO") and photo.mode in ("RGB", "L"):
            pixels = _decode_jpeg(photo.data, min_height=target[0], min_width=target[1])
        elif is_jpeg(photo.data):
            pixels = _decode_with_pillow(for_pillow(photo.data))
        else:
            pixels = _decode_with_pillow(photo.data)
    # Hostile bytes make decoders raise anything (ValueError, OSError, SyntaxError, struct.error, zlib.error):
    # whatever it is, these bytes are no image to us. Only library calls stand inside this try.
    except Exception as error:
        raise _undecodable(f"its pixels cannot be read ({_reason(error)})") from error
    upright = _turn_upright(pixels, photo.orientation)
    upright = np.ascontiguousarray(upright)
    if upright.shape[:2] == (height, width):
        return upright
    return np.asarray(Image.fromarray(upright).resize((width, height), Image.Resampling.BILINEAR))


def _read_header(data: bytes) -> Photo:
    try:
        image: ImageFile.ImageFile = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:  # see decode: the bytes are hostile, the fault is theirs
        if is_jpeg(data):
            return _read_jpeg_header(data)
        raise _undecodable("its header is not that of a JPEG, PNG or WebP image") from error
    with image:
        width, height = _decoded_size(data) if is_jpeg(data) else image.size
        return Photo(data, str(image.format), image.mode, width, height, _orientation(image))


def _decoded_size(data: bytes) -> tuple[int, int]:
    """Width and height as libjpeg will decode them. Pillow can be made to read another frame header, one
    that lies in a segment which libjpeg never sees: a limit on its size would bound nothing."""
    try:
        header = read_header(data)
    except ValueError as error:
        raise _undecodable(f"its header is not that of a JPEG image ({_reason(error)})") from error
    return header.width, header.height


def _read_jpeg_header(data: bytes) -> Photo:
    """A JPEG that Pillow does not open, for the sake of what lies beside its picture: libjpeg may."""
    try:
        header = read_header(data)
    except ValueError as error:
        raise _undecodable(f"its header is not that of a JPEG image ({_reason(error)})") from error
    mode = "CMYK" if header.cmyk else "RGB"
    return Photo(data, "JPEG", mode, header.width, header.height, read_orientation(data))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; a tag that is unreadable or out of range means upright, as in viewers."""
    try:
        value: Any = image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF is an annotation: a broken one does not make the photograph unreadable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _decode_jpeg(data: bytes, *, min_height: int, min_width: int) -> Pixels:
    return read_whole(
        data,
        lambda jpeg: simplejpeg.decode_jpeg(
            jpeg, "RGB", fastdct=True, fastupsample=True, min_height=min_height, min_width=min_width
        ),
    )


def _decode_with_pillow(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if image.mode.startswith("I"):
            return _high_bytes(image)
        if image.has_transparency_data:
            return _over_white(image.convert("RGBA"))
        return np.asarray(image.convert("RGB"))


def _high_bytes(image: Image.Image) -> Pixels:
    """16-bit gray to RGB by each sample's high byte (Pillow's own conversion would clip at 255)."""
    samples = np.asarray(image).astype(np.uint32)
    return np.repeat((samples >> 8).clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _over_white(image: Image.Image) -> Pixels:
    background = Image.new("RGB", image.size, "white")
    background.paste(image, mask=image.getchannel("A"))
    return np.asarray(background)


def _turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (Exif 2.32, tag 0x0112): sideways ones are transposed, then mirrored."""
    if orientation in _SIDEWAYS:
        pixels = pixels.transpose(1, 0, 2)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def _undecodable(what: str) -> Refusal:
    message = f"the body is not a readable image: {what}; send one whole JPEG, PNG or WebP file"
    return Refusal(400, "undecodable_image", message, of_image=True)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return text or type(error).__name__
