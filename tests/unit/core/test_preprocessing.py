"""Preprocessing dct-bilinear v1: bytes to the upright RGB pixels of the network's size."""

import io
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from bincount_core.image import ImageFault, read_image
from bincount_core.preprocessing import preprocess

RED, GREEN, BLUE, WHITE = (250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 250)


def pixels(data: bytes, *, width: int = 40, height: int = 40) -> np.ndarray:
    return preprocess(read_image(data, max_pixels=10_000_000), width=width, height=height)


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """An image as the bytes of a file."""

    def encode(image: Image.Image, format: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        return buffer.getvalue()

    return encode


def quarters(width: int = 640, height: int = 480) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def corners(array: np.ndarray) -> list[tuple[int, ...]]:
    """The colours in the middle of each quarter, row by row."""
    height, width, _ = array.shape
    places = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    places += [(3 * height // 4, width // 4), (3 * height // 4, 3 * width // 4)]
    return [tuple(int(value) for value in array[place]) for place in places]


def assert_quarters(array: np.ndarray) -> None:
    for found, expected in zip(corners(array), [RED, GREEN, BLUE, WHITE], strict=True):
        assert np.allclose(found, expected, atol=6), corners(array)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (41, 39), (300, 20), (7, 5)])
def test_a_jpeg_gives_the_tensor_that_the_contract_spells_out(encoded, size):
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG", quality=95)
    scaled = simplejpeg.decode_jpeg(data, "RGB", fastdct=True, fastupsample=True, min_height=40, min_width=60)
    expected = np.asarray(Image.fromarray(scaled).resize((60, 40), Image.Resampling.BILINEAR))
    assert np.array_equal(pixels(data, width=60, height=40), expected)


def test_an_image_of_the_right_size_is_not_resampled(encoded):
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(pixels(encoded(Image.fromarray(noise), "PNG")), noise)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_the_aspect_ratio_is_not_kept_so_that_nothing_is_cut_away(encoded, format):
    result = pixels(encoded(quarters(640, 200), format), width=60, height=40)
    assert result.shape == (40, 60, 3)
    assert result.dtype == np.uint8
    assert_quarters(result)


# How the camera's upright image lies in the file for each EXIF orientation (the inverse of exif_transpose).
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_each_exif_orientation_comes_out_upright(encoded, orientation, format):
    transpose = STORED[orientation]
    stored = quarters() if transpose is None else quarters().transpose(transpose)
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = pixels(encoded(stored, format, exif=exif), width=60, height=40)
    assert result.shape == (40, 60, 3)
    assert_quarters(result)


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_out_of_range_means_upright(encoded, value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert_quarters(pixels(encoded(quarters(), "JPEG", exif=exif)))


def test_broken_exif_means_upright(encoded):
    assert_quarters(pixels(encoded(quarters(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff garbage")))


def test_transparent_parts_are_white(encoded):
    image = Image.new("RGBA", (40, 40), (*RED, 0))
    image.paste((*RED, 255), (0, 0, 20, 40))
    for format in ("PNG", "WEBP"):
        result = pixels(encoded(image, format, **({"lossless": True} if format == "WEBP" else {})))
        assert tuple(result[20, 5]) == RED
        assert tuple(result[20, 35]) == (255, 255, 255)


def test_a_transparent_colour_of_a_palette_is_white(encoded):
    image = Image.new("P", (40, 40), 1)
    image.putpalette([*RED, *BLUE])
    image.paste(0, (0, 0, 20, 40))
    result = pixels(encoded(image, "PNG", transparency=1))
    assert tuple(result[20, 5]) == RED
    assert tuple(result[20, 35]) == (255, 255, 255)


def test_gray_images_have_three_equal_channels(encoded):
    for format in ("JPEG", "PNG"):
        result = pixels(encoded(Image.new("L", (90, 60), 99), format))
        assert np.abs(result.astype(int) - 99).max() <= 1


def test_cmyk_jpegs_are_decoded(encoded):
    result = pixels(encoded(Image.new("CMYK", (90, 60), (0, 255, 255, 0)), "JPEG", quality=95))
    assert np.allclose(result, (255, 0, 0), atol=6)


def test_16_bit_images_keep_their_high_byte(encoded):
    samples = np.full((40, 40), 0x8001, dtype=np.uint16)
    assert (pixels(encoded(Image.fromarray(samples), "PNG")) == 0x80).all()


def test_bilevel_images_are_black_and_white(encoded):
    assert (pixels(encoded(Image.new("1", (40, 40), 1), "PNG")) == 255).all()


@pytest.mark.parametrize("format", ["WEBP", "PNG"])
def test_an_animation_counts_by_its_first_frame(format):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE, GREEN)]
    options = {"lossless": True} if format == "WEBP" else {}
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:], **options)
    assert np.allclose(pixels(buffer.getvalue()), RED, atol=2)


def test_a_jpeg_of_the_format_s_greatest_width_is_decoded(encoded):
    data = encoded(quarters(60_000, 8), "JPEG")
    assert_quarters(pixels(data))


def test_one_pixel_is_an_image(encoded):
    for format in ("JPEG", "PNG", "WEBP"):
        assert pixels(encoded(Image.new("RGB", (1, 1), WHITE), format)).shape == (40, 40, 3)


def test_a_text_chunk_that_unpacks_without_end_is_rejected(encoded):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("bomb", "x" * 100_000_000, zip=True)
    with pytest.raises(ImageFault) as caught:
        pixels(encoded(Image.new("RGB", (4, 4)), "PNG", pnginfo=info))
    assert caught.value.reason == "undecodable"


def test_the_limit_holds_for_the_frame_that_is_decoded(encoded):
    data = encoded(Image.new("RGB", (4000, 3000)), "JPEG")
    frame = data.index(b"\xff\xc0")
    end = frame + 2 + int.from_bytes(data[frame + 2 : frame + 4], "big")
    small = data[frame : frame + 5] + bytes((0, 16, 0, 16)) + data[frame + 9 : end]
    # Pillow reads on within a segment of a kind that it does not know, and takes the last frame header.
    hidden = b"\xff\xf0" + (len(small) + 2).to_bytes(2, "big") + small
    with pytest.raises(ImageFault) as caught:
        read_image(data[:end] + hidden + data[end:], max_pixels=10_000_000)
    assert caught.value.reason == "too_large"


def test_many_intervals_behind_a_long_head_do_not_take_long(encoded):
    data = encoded(Image.new("RGB", (1440, 1440), RED), "JPEG", restart_marker_blocks=1)
    scan = data.index(b"\xff\xda")
    scan += 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
    strays = re.sub(rb"(?=\xff[\xd0-\xd7])", b"\x11" * 12, data[scan:-2])
    comment = b"\xff\xe1\xff\xff" + bytes(65_533)
    began = time.process_time()
    with pytest.raises(ImageFault):
        pixels(data[:2] + comment * 20 + data[2:scan] + strays + b"\xff\xd9")
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_an_image_over_the_limit_is_rejected_by_its_header(encoded, format):
    data = encoded(quarters(), format)
    assert read_image(data, max_pixels=640 * 480).upright_size == (640, 480)
    with pytest.raises(ImageFault, match="640 x 480 = 307200 pixels, at most 307199 are accepted") as fault:
        read_image(data, max_pixels=640 * 480 - 1)
    assert fault.value.reason == "too_large"


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", "empty", "it has no bytes"),
        (b"GIF89a", "undecodable", "not that of a JPEG, PNG or WebP image$"),
        (b"\xff\xd8\xff\xe0 cut", "undecodable", "not that of a JPEG image"),
    ],
)
def test_what_is_no_image_is_rejected_with_its_reason(data, reason, words):
    with pytest.raises(ImageFault, match=words) as fault:
        read_image(data, max_pixels=100)
    assert fault.value.reason == reason
    assert "0x" not in str(fault.value), "an address in memory helps nobody"


def test_an_image_that_is_cut_off_is_rejected(encoded):
    """Pillow finds a cut WebP when it opens it, a cut PNG when it decodes it."""
    for format, words in (("JPEG", "pixels"), ("PNG", "pixels"), ("WEBP", "header")):
        data = encoded(quarters(), format)
        with pytest.raises(ImageFault, match=f"its {words}") as fault:
            pixels(data[: -len(data) // 3])
        assert fault.value.reason == "undecodable"


def test_a_telephone_s_file_of_several_images_is_its_first(encoded):
    data = encoded(quarters(), "MPO", save_all=True, append_images=[quarters().rotate(180)])
    assert_quarters(pixels(data))
