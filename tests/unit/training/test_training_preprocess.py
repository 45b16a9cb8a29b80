"""Preprocessing dct-bilinear version 1, against the contract's words."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from bincount_core.jpeg import ORIENTATION
from bintrain.errors import TrainingError
from bintrain.preprocess import preprocess


def picture(*, width: int = 400, height: int = 300) -> Image.Image:
    """Smooth colours with a bright corner at the top left, so that orientations differ."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 / width, y * 255 / height, (x + y) % 256], axis=2).astype(np.uint8)
    pixels[: height // 4, : width // 4] = 255
    return Image.fromarray(pixels)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_a_jpeg_is_scaled_while_decoding_then_resized() -> None:
    data = encoded(picture(), "JPEG", quality=90)
    scaled = simplejpeg.decode_jpeg(
        data, "RGB", fastdct=True, fastupsample=True, min_height=96, min_width=128
    )
    expected = np.asarray(Image.fromarray(scaled).resize((128, 96), Image.Resampling.BILINEAR))

    assert scaled.shape[0] < 300
    assert np.array_equal(preprocess(data, width=128, height=96), expected)


def test_an_image_of_the_right_size_is_not_touched() -> None:
    image = picture(width=64, height=48)

    assert np.array_equal(preprocess(encoded(image, "PNG"), width=64, height=48), np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_every_exif_orientation_comes_out_upright(form: str, orientation: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = picture().transpose(back[orientation]) if orientation in back else picture()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, object] = {"quality": 95} if form == "JPEG" else {}

    upright = preprocess(encoded(stored, form, exif=exif, **options), width=200, height=150)

    expected = np.asarray(picture().resize((200, 150), Image.Resampling.BILINEAR))
    assert np.abs(upright.astype(int) - expected).mean() < 6


def test_alpha_is_laid_over_white() -> None:
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 0))

    assert (preprocess(encoded(image, "PNG"), width=32, height=32) == 255).all()


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "1"])
def test_other_modes_become_rgb(mode: str) -> None:
    form = "JPEG" if mode in ("L", "CMYK") else "PNG"

    pixels = preprocess(encoded(picture().convert(mode), form), width=40, height=30)

    assert pixels.shape == (30, 40, 3) and pixels.dtype == np.uint8
    assert pixels[:5, :5].mean() > 240


def test_sixteen_bit_grey_keeps_its_high_byte() -> None:
    image = Image.fromarray(np.full((32, 32), 0x80FF, dtype=np.uint16))

    assert (preprocess(encoded(image, "PNG"), width=32, height=32) == 0x80).all()


@pytest.mark.parametrize(
    "data",
    [b"", b"not an image", b"\xff\xd8\xff\xe0 cut", encoded(picture(), "PNG")[:200]],
    ids=["empty", "text", "jpeg header alone", "png cut off"],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(TrainingError, match=f"not a readable image \\({len(data)} bytes\\): ") as refused:
        preprocess(data, width=32, height=32)

    assert "0x" not in str(refused.value), "an address in memory helps nobody"
