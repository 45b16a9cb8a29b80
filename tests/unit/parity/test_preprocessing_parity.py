"""Training and serving see the same tensor: preprocessing `dct-bilinear` v1, obeyed by both rooms."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inference.photo import decode, read_photo
from local.bins import generate

ROOT = Path(__file__).resolve().parents[3]
SIZES = [(224, 224), (64, 64), (96, 128)]

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def trained_on() -> Callable[..., Pixels]:
    """Training's own preprocessing."""
    sys.path.insert(0, str(ROOT / "training"))
    from bintrain.preprocess import preprocess

    return preprocess


@pytest.fixture(scope="module")
def bins(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    out = tmp_path_factory.mktemp("bins")
    generate(out=out, images=12, seed=5, counts=range(1, 6))
    return [path.read_bytes() for path in sorted(out.glob("bin-images/*.jpg"))]


def served(data: bytes, *, width: int, height: int) -> Pixels:
    return decode(read_photo(data, max_pixels=25_000_000), width=width, height=height)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_bins(trained_on: Callable[..., Pixels], bins: list[bytes], width: int, height: int) -> None:
    for data in bins:
        np.testing.assert_array_equal(
            served(data, width=width, height=height), trained_on(data, width=width, height=height)
        )


def encodings() -> dict[str, bytes]:
    """One picture in the forms in which it may come."""
    noise = np.random.default_rng(7).integers(0, 255, (90, 140, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((420, 270), Image.Resampling.BICUBIC)
    found: dict[str, bytes] = {}

    def keep(name: str, image: Image.Image, format: str, **options: object) -> None:
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        found[name] = buffer.getvalue()

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        keep(f"orientation {orientation}", picture, "JPEG", exif=exif)
    keep("png", picture, "PNG")
    keep("webp", picture, "WEBP", lossless=True)
    keep("grey jpeg", picture.convert("L"), "JPEG")
    keep("cmyk jpeg", picture.convert("CMYK"), "JPEG")
    keep("palette png", picture.convert("P"), "PNG")
    keep("transparent png", _with_alpha(picture), "PNG")
    keep("multi-picture jpeg", picture, "MPO", save_all=True, append_images=[picture.rotate(90)])
    return found


def _with_alpha(picture: Image.Image) -> Image.Image:
    see_through = picture.convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize(picture.size))
    return see_through


@pytest.mark.parametrize("name", list(encodings()))
def test_every_encoding(trained_on: Callable[..., Pixels], name: str) -> None:
    data = encodings()[name]
    for width, height in SIZES:
        np.testing.assert_array_equal(
            served(data, width=width, height=height), trained_on(data, width=width, height=height)
        )
