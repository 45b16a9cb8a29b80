"""A bin that is easy to count: for runs that show the whole path, not how well a network counts.

Boxes of one kind are side by side, filled from the left, none hides another. A small network learns them in
a minute of a laptop's time, well enough for the floors of every stage's gate.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from demo.bins.bin_image import BinImage, Point, Product, Thing

MOST = 6
WIDTH, HEIGHT = 192, 144
_FLOOR = 0.9


def draw_tidy_bin(*, count: int, rng: np.random.Generator) -> BinImage:
    """One image with `count` boxes, 0 to MOST. Raises ValueError for more."""
    if count > MOST:
        raise ValueError(f"a tidy bin holds at most {MOST} boxes, not {count}")
    product = Product(
        asin="B0" + "".join(rng.choice(list("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"), 8)),
        kind="box",
        colour=(150, 60, 40),
        accent=(220, 220, 220),
        width=1 / MOST,
        height=0.6,
        depth=0.1,
    )
    light = float(rng.uniform(0.9, 1.1))
    image = Image.new("RGB", (WIDTH, HEIGHT), (200, 180, 110))
    draw = ImageDraw.Draw(image)
    things = [_stand(slot, product=product, rng=rng) for slot in range(count)]
    for thing in things:
        draw.polygon(thing.outline(), fill=product.colour, outline=(70, 25, 15), width=2)
    pixels = np.asarray(image, dtype=np.float32) * light + rng.normal(0, 4, (HEIGHT, WIDTH, 1))
    return BinImage(things, Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), 85)


def _stand(slot: int, *, product: Product, rng: np.random.Generator) -> Thing:
    """The box in a slot, a little higher or lower than its neighbours."""
    width = WIDTH / MOST
    left, right = slot * width + 2, (slot + 1) * width - 2
    top, floor = float(rng.uniform(0.2, 0.3)) * HEIGHT, _FLOOR * HEIGHT
    corners: tuple[Point, Point, Point, Point] = ((left, top), (right, top), (right, floor), (left, floor))
    return Thing(product=product, corners=corners, look=int(rng.integers(2**31)))
