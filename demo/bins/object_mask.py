"""Where the objects of a drawn bin are, to the pixel: what a map of a network's evidence is held against."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from demo.bins.bin_image import BinImage


def object_mask(drawn: BinImage) -> NDArray[np.bool_]:
    """True `[height, width]` where the image shows an object, or what is before one (band, lip)."""
    size = drawn.image.size
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    for thing in drawn.things:
        draw.polygon(thing.outline(), fill=255)
    if drawn.view is not None:
        mask = mask.transform(size, Image.Transform.QUAD, drawn.view, Image.Resampling.BILINEAR)
    return np.asarray(mask) > 127
