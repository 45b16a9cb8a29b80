"""One image of a bin with a known number of objects in it, drawn from a random generator.

Yellow fabric, brown cartons, printed boxes, poly bags and round containers, translucent bands across,
then what a camera adds: perspective, blur, light, grain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

VISIBLE_SHARE = 0.6
"""The part of each object that no other object hides."""

Colour = tuple[int, int, int]
Point = tuple[float, float]

_CARTON: tuple[Colour, ...] = ((150, 108, 76), (162, 120, 86), (134, 96, 68), (172, 132, 98))
_PRINTED: tuple[Colour, ...] = (
    (186, 46, 44), (36, 78, 150), (46, 124, 72), (226, 224, 216), (44, 42, 48),
    (122, 62, 130), (222, 128, 44), (64, 158, 168), (206, 92, 130), (88, 92, 100),
)  # fmt: skip
_BAG: tuple[Colour, ...] = ((196, 192, 186), (150, 148, 150), (98, 96, 100), (212, 208, 204))
_PLATE: tuple[Colour, ...] = ((48, 54, 88), (120, 170, 210), (214, 78, 72), (232, 176, 84), (236, 170, 180))
_KINDS: tuple[str, ...] = ("carton", "box", "bag", "round")


@dataclass(frozen=True, kw_only=True)
class Product:
    """What one kind of object looks like; `width` and `height` are shares of the bin's inner size."""

    asin: str
    kind: str
    colour: Colour
    accent: Colour
    width: float
    height: float
    depth: float


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One object in its place: the outline is its unit square's corners in pixels (top left, then
    clockwise)."""

    product: Product
    corners: tuple[Point, Point, Point, Point]
    look: int

    def at(self, u: float, v: float) -> Point:
        """The pixel of the point (u, v) of the object's unit square, u to the right and v downwards."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.corners
        x = ax * (1 - u) * (1 - v) + bx * u * (1 - v) + cx * u * v + dx * (1 - u) * v
        y = ay * (1 - u) * (1 - v) + by * u * (1 - v) + cy * u * v + dy * (1 - u) * v
        return x, y

    def outline(self) -> list[Point]:
        """The polygon that the object covers, in pixels."""
        rng = np.random.default_rng(self.look)
        if self.product.kind in ("carton", "box"):
            return [self.at(0, 0), self.at(1, 0), self.at(1, 1), self.at(0, 1)]
        power = 2.4 if self.product.kind == "round" else 4.0
        wobble = 0.0 if self.product.kind == "round" else 0.06
        angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        radius = (np.abs(np.cos(angles)) ** power + np.abs(np.sin(angles)) ** power) ** (-1 / power)
        radius = np.minimum(radius * (0.5 + rng.uniform(-wobble, 0, angles.size)), 0.7)
        return [
            self.at(0.5 + r * np.cos(a), 0.5 + r * np.sin(a)) for r, a in zip(radius, angles, strict=True)
        ]


class BinImage(NamedTuple):
    """The objects in the bin, the image, and the JPEG quality that its camera would use.

    The camera saw the quadrilateral `view` of the bin in which the objects' corners are: its corners top
    left, bottom left, bottom right, top right (x, y), pixels; None: all of it, straight.
    """

    things: list[Thing]
    image: Image.Image
    quality: int
    view: tuple[float, ...] | None = None


def draw_bin(*, count: int, rng: np.random.Generator) -> BinImage:
    """One image of a bin with `count` objects."""
    width, height = int(rng.integers(320, 520)), int(rng.integers(250, 400))
    things = place(count=count, width=width, height=height, rng=rng)
    image = _fabric(width=width, height=height, rng=rng)
    for thing in things:
        _draw_thing(image=image, thing=thing)
    _draw_bands(image=image, rng=rng)
    _draw_lips(image=image, rng=rng)
    view = _view(width=width, height=height, rng=rng)
    image = _camera(image=image, view=view, rng=rng)
    return BinImage(things, image, int(rng.integers(78, 93)), view)


def place(*, count: int, width: int, height: int, rng: np.random.Generator) -> list[Thing]:
    """`count` objects on the bin's floor or on one another, drawn in order, none hidden too far by later
    ones."""
    things: list[Thing] = []
    shrink = 1.0
    while len(things) < count:
        same = bool(things) and rng.random() < 0.3
        product = things[-1].product if same else _product(rng=rng)
        lift = float(rng.uniform(0, 0.45)) if things and rng.random() < 0.4 else 0.0
        thing = _stand(product=product, width=width, height=height, scale=shrink, lift=lift, rng=rng)
        shares = visible_shares(things=[*things, thing], width=width, height=height)
        if min(shares) >= VISIBLE_SHARE:
            things.append(thing)
        else:
            shrink = max(0.35, shrink * 0.985)
    return things


def _product(*, rng: np.random.Generator) -> Product:
    kind = str(rng.choice(_KINDS, p=[0.4, 0.3, 0.18, 0.12]))
    palette = {"carton": _CARTON, "bag": _BAG}.get(kind, _PRINTED)
    colour = np.array(palette[int(rng.integers(len(palette)))]) + rng.integers(-14, 15, 3)
    accent = _PRINTED[int(rng.integers(len(_PRINTED)))]
    return Product(
        asin="B0" + "".join(rng.choice(list("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"), 8)),
        kind=kind,
        colour=_clip(colour),
        accent=accent,
        width=float(rng.uniform(0.2, 0.4)),
        height=float(rng.uniform(0.25, 0.52)),
        depth=float(rng.uniform(0.06, 0.16)),
    )


def _stand(
    *, product: Product, width: int, height: int, scale: float, lift: float, rng: np.random.Generator
) -> Thing:
    w, h = product.width * scale * width, product.height * scale * height
    left, right = 0.05 * width + w / 2, 0.95 * width - w / 2
    floor = 0.86 * height - h / 2
    cx, cy = float(rng.uniform(left, right)), max(floor - lift * height, 0.1 * height + h / 2)
    tilt = float(rng.normal(0, 0.06)) if lift == 0 else float(rng.normal(0, 0.16))
    cos, sin = np.cos(tilt), np.sin(tilt)
    square = ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
    a, b, c, d = ((cx + x * cos - y * sin, cy + x * sin + y * cos) for x, y in square)
    return Thing(product=product, corners=(a, b, c, d), look=int(rng.integers(2**31)))


def visible_shares(*, things: Sequence[Thing], width: int, height: int) -> list[float]:
    """The part of each object, 0 to 1, that objects drawn after it leave uncovered, on a grid of 4 pixels."""
    step = 4
    owners = Image.new("L", (width // step, height // step), 0)
    draw = ImageDraw.Draw(owners)
    whole: list[int] = []
    for number, thing in enumerate(things, start=1):
        draw.polygon([(x / step, y / step) for x, y in thing.outline()], fill=number)
        whole.append(owners.histogram()[number])
    left = owners.histogram()
    return [left[number] / max(area, 1) for number, area in enumerate(whole, start=1)]


def _fabric(*, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    base = (np.array([182, 164, 92]) + rng.normal(0, 8, 3)).astype(np.float32)
    folds = rng.normal(0, 1, (6, 8)).astype(np.float32)
    soft = np.asarray(Image.fromarray(folds).resize((width, height), Image.Resampling.BICUBIC))
    depth = np.linspace(0.62, 0.88, height, dtype=np.float32)[:, None]
    shade = depth + np.float32(0.035) * soft
    image = Image.fromarray((shade[..., None] * base).astype(np.uint8))
    draw = ImageDraw.Draw(image, "RGBA")
    wall = float(rng.uniform(0.03, 0.09)) * width
    for x, inner in ((0.0, wall), (float(width), width - wall)):
        draw.polygon(
            [(x, 0), (inner, 0.1 * height), (inner, 0.86 * height), (x, height)], fill=(214, 190, 104, 150)
        )
    draw.polygon([(wall, 0.86 * height), (width - wall, 0.86 * height), (width, height), (0, height)],
                 fill=(206, 184, 104, 120))  # fmt: skip
    return image


def _draw_thing(*, image: Image.Image, thing: Thing) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    outline = thing.outline()
    shadow = 0.03 * image.width
    draw.polygon([(x + shadow, y + shadow * 0.4) for x, y in outline], fill=(30, 24, 10, 90))
    draw.polygon(outline, fill=thing.product.colour)
    rng = np.random.default_rng([thing.look, 1])
    if thing.product.kind == "bag":
        _draw_creases(draw=draw, thing=thing, rng=rng)
    elif thing.product.kind == "round":
        _draw_shine(draw=draw, thing=thing)
    else:
        _draw_faces(draw=draw, thing=thing, rng=rng)
    draw.polygon(outline, outline=_shade(colour=thing.product.colour, factor=0.5), width=2)


def _draw_faces(*, draw: ImageDraw.ImageDraw, thing: Thing, rng: np.random.Generator) -> None:
    product = thing.product
    top, side = product.depth, product.depth * float(rng.choice([0.0, 1.0]))
    _patch(draw=draw, thing=thing, box=(0, 0, 1, top), colour=_shade(colour=product.colour, factor=1.22))
    _patch(
        draw=draw, thing=thing, box=(1 - side, top, 1, 1), colour=_shade(colour=product.colour, factor=0.75)
    )
    right = 1 - side
    if product.kind == "carton":
        tape = float(rng.uniform(0.3, 0.6)) * right
        _patch(draw=draw, thing=thing, box=(tape, top, tape + 0.08, 1), colour=(196, 164, 122))
    else:
        _patch(draw=draw, thing=thing, box=(0.08, 0.3, right - 0.08, 0.62), colour=product.accent)
    _draw_label(draw=draw, thing=thing, right=right, rng=rng)


def _draw_label(*, draw: ImageDraw.ImageDraw, thing: Thing, right: float, rng: np.random.Generator) -> None:
    u, v = float(rng.uniform(0.08, right - 0.4)), float(rng.uniform(0.66, 0.74))
    _patch(draw=draw, thing=thing, box=(u, v, u + 0.3, v + 0.18), colour=(232, 230, 224))
    for bar in range(7):
        start = u + 0.03 + bar * 0.036
        _patch(draw=draw, thing=thing, box=(start, v + 0.03, start + 0.016, v + 0.13), colour=(40, 38, 40))


def _draw_creases(*, draw: ImageDraw.ImageDraw, thing: Thing, rng: np.random.Generator) -> None:
    for _ in range(9):
        u, v = rng.uniform(0.15, 0.85, 2)
        du, dv = rng.uniform(-0.3, 0.3, 2)
        ends = [thing.at(u, v), thing.at(min(max(u + du, 0.1), 0.9), min(max(v + dv, 0.1), 0.9))]
        light = bool(rng.random() < 0.5)
        draw.line(ends, fill=(255, 255, 255, 110) if light else (40, 40, 46, 90), width=3)


def _draw_shine(*, draw: ImageDraw.ImageDraw, thing: Thing) -> None:
    _patch(draw=draw, thing=thing, box=(0.22, 0.2, 0.34, 0.7), colour=(255, 255, 255, 80))
    _patch(draw=draw, thing=thing, box=(0.12, 0.42, 0.88, 0.6), colour=(*thing.product.accent, 200))


def _patch(
    *,
    draw: ImageDraw.ImageDraw,
    thing: Thing,
    box: tuple[float, float, float, float],
    colour: tuple[int, ...],
) -> None:
    u0, v0, u1, v1 = box
    draw.polygon([thing.at(u0, v0), thing.at(u1, v0), thing.at(u1, v1), thing.at(u0, v1)], fill=colour)


def _draw_bands(*, image: Image.Image, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    width, height = image.size
    for _ in range(int(rng.integers(1, 4))):
        top, thick = float(rng.uniform(0.12, 0.74)) * height, float(rng.uniform(0.08, 0.18)) * height
        slope = float(rng.normal(0, 0.02)) * height
        draw.polygon([(0, top), (width, top + slope), (width, top + slope + thick), (0, top + thick)],
                     fill=(206, 192, 160, int(rng.integers(60, 130))))  # fmt: skip
        for y in np.arange(0, thick, float(rng.uniform(4, 7))):
            draw.line(
                [(0, top + y), (width, top + slope + y)], fill=(236, 228, 206, int(rng.integers(60, 130)))
            )


def _draw_lips(*, image: Image.Image, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    width, height = image.size
    sag = float(rng.uniform(0.0, 0.03)) * height
    upper, lower = float(rng.uniform(0.02, 0.08)) * height, float(rng.uniform(0.86, 0.9)) * height
    yellow = _clip(np.array([226, 198, 104]) + rng.integers(-14, 15, 3))
    draw.polygon([(0, 0), (width, 0), (width, upper), (width / 2, upper + sag), (0, upper)], fill=yellow)
    draw.polygon(
        [(0, lower), (width / 2, lower + sag), (width, lower), (width, height), (0, height)], fill=yellow
    )
    plate = _PLATE[int(rng.integers(len(_PLATE)))]
    for middle in (0.0, float(rng.uniform(0.95, 0.99)) * height):
        x, half = float(rng.uniform(0.35, 0.65)) * width, 0.13 * width
        draw.rectangle(
            [x - half, middle - 0.05 * height, x + half, middle + 0.05 * height], fill=(236, 232, 222)
        )
        draw.rectangle(
            [x - 0.6 * half, middle - 0.04 * height, x + 0.3 * half, middle + 0.04 * height], fill=plate
        )


def _view(*, width: int, height: int, rng: np.random.Generator) -> tuple[float, ...]:
    dx, dy = rng.uniform(0, 0.045, 4) * width, rng.uniform(0, 0.045, 4) * height
    return (dx[0], dy[0], dx[1], height - dy[1], width - dx[2], height - dy[2], width - dx[3], dy[3])


def _camera(*, image: Image.Image, view: tuple[float, ...], rng: np.random.Generator) -> Image.Image:
    width, height = image.size
    image = image.transform((width, height), Image.Transform.QUAD, view, Image.Resampling.BILINEAR)
    blur = float(rng.uniform(2.0, 4.0)) if rng.random() < 0.15 else float(rng.uniform(0.4, 1.2))
    image = image.filter(ImageFilter.BoxBlur(blur))
    light = (float(rng.uniform(0.7, 1.12)) * (1 + rng.normal(0, 0.03, 3))).astype(np.float32)
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(2, 6))
    pixels = np.array(image, dtype=np.float32)
    pixels *= light
    pixels += grain
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def _shade(*, colour: Colour, factor: float) -> Colour:
    return _clip(np.array(colour) * factor)


def _clip(colour: np.ndarray) -> Colour:
    red, green, blue = (int(channel) for channel in np.clip(colour, 0, 255))
    return red, green, blue
