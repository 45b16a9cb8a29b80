"""Preprocessing `dct-bilinear` version 1: an image's bytes to the network's input (docs/contracts.md)."""

import numpy as np
from PIL import Image

from bincount_core.image import EncodedImage, Pixels, decode_upright

NAME = "dct-bilinear"
VERSION = 1


def preprocess(image: EncodedImage, *, width: int, height: int) -> Pixels:
    """Upright RGB pixels at the network's size, uint8 `[height, width, 3]`; the aspect ratio is not kept.

    A JPEG is scaled while it is decoded, then resized bilinearly. Raises ImageFault `undecodable`.
    """
    pixels = decode_upright(image, least_width=width, least_height=height)
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
