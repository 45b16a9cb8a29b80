"""Which images are taken, which are rejected with which reason, and what a smaller one looks like."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data_prep import images
from data_prep.images import BadImage, check, shrink
from data_prep.request import Stored


def encoded(
    *, size: tuple[int, int] = (60, 40), mode: str = "RGB", form: str = "JPEG", **options: Any
) -> bytes:
    """Red above, blue below."""
    image = Image.new("RGB", size, (230, 20, 20))
    image.paste((20, 20, 230), (0, size[1] // 2, size[0], size[1]))
    data = io.BytesIO()
    image.convert(mode).save(data, form, **options)
    return data.getvalue()


def with_size_in_header(data: bytes, *, width: int, height: int) -> bytes:
    """The same JPEG with another size written into its frame header (SOF0)."""
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def reason_of(data: bytes) -> str:
    with pytest.raises(BadImage) as error:
        check(data)
    assert str(error.value)
    return error.value.reason


@pytest.mark.parametrize(
    "data",
    [
        encoded(),
        encoded(progressive=True),
        encoded(mode="L"),
        encoded(mode="CMYK"),
        encoded(subsampling="4:4:4"),
        encoded(exif=Image.Exif()),
    ],
    ids=["baseline", "progressive", "gray", "cmyk", "444", "exif"],
)
def test_jpegs_of_all_kinds_are_taken_as_they_are(data: bytes) -> None:
    jpeg = check(data)
    assert (jpeg.data, jpeg.width, jpeg.height) == (data, 60, 40)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (encoded(form="PNG"), "not_jpeg"),
        (b"<Error>AccessDenied</Error>", "not_jpeg"),
        (b"\xff\xd8\xff", "undecodable"),
        (encoded()[:200], "undecodable"),
        (encoded(size=(400, 300))[:-700], "undecodable"),
        (encoded()[:-40], "undecodable"),
        (encoded(mode="CMYK")[:-40], "undecodable"),
        (encoded(subsampling="4:4:4").replace(b"\x01\x11\x00", b"\x01\x14\x00", 1), "undecodable"),
        (with_size_in_header(encoded(), width=20_000, height=20_000), "too_large"),
    ],
    ids=[
        "zero bytes",
        "png",
        "xml",
        "3 bytes",
        "header cut",
        "data cut",
        "end cut",
        "cmyk cut",
        "odd sampling",
        "bomb",
    ],
)
def test_what_is_no_whole_jpeg_is_rejected_with_its_reason(data: bytes, reason: str) -> None:
    assert reason_of(data) == reason


def test_an_image_is_shrunk_to_its_short_side_and_keeps_its_shape() -> None:
    small = shrink(check(encoded(size=(600, 400))), Stored(short_side=100, quality=90))
    opened = Image.open(io.BytesIO(small.data))
    assert (small.width, small.height) == opened.size == (150, 100)
    assert opened.mode == "RGB"
    top, bottom = np.asarray(opened)[10, 75], np.asarray(opened)[90, 75]
    assert top[0] > 200 and top[2] < 60
    assert bottom[2] > 200 and bottom[0] < 60


@pytest.mark.parametrize(
    ("size", "stored"),
    [((600, 400), (100, 100)), ((300, 900), (100, 100)), ((600, 80), (100, 80)), ((101, 100), (100, 100))],
)
def test_an_image_is_shrunk_to_a_square_whatever_its_shape(
    size: tuple[int, int], stored: tuple[int, int]
) -> None:
    small = shrink(check(encoded(size=size)), Stored(short_side=100, square=True))
    opened = Image.open(io.BytesIO(small.data))
    assert (small.width, small.height) == opened.size == stored
    top, bottom = np.asarray(opened)[10, 50], np.asarray(opened)[stored[1] - 10, 50]
    assert top[0] > 200 and top[2] < 60
    assert bottom[2] > 200 and bottom[0] < 60


@pytest.mark.parametrize(("short_side", "length"), [(256, 509), (224, 1777), (32, 49), (256, 1018)])
def test_an_image_is_never_decoded_smaller_than_it_is_stored(short_side: int, length: int) -> None:
    jpeg = check(encoded(size=(length + 200, length)))
    assert images._pixels(jpeg, short_side=short_side).height >= short_side  # noqa: SLF001


@pytest.mark.parametrize("stored", [Stored(short_side=40), Stored(short_side=60, square=True)])
def test_a_small_image_keeps_its_bytes(stored: Stored) -> None:
    jpeg = check(encoded(size=(60, 40)))
    assert shrink(jpeg, stored) is jpeg


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("square", [False, True])
def test_a_shrunk_image_is_upright_as_pillow_sees_it(orientation: int, square: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(
        np.kron(np.array([[0, 90], [170, 255]], dtype=np.uint8), np.ones((60, 90), dtype=np.uint8))
    )
    data = io.BytesIO()
    image.convert("RGB").save(data, "JPEG", quality=95, exif=exif)
    stored = Stored(short_side=40, quality=95, square=square)
    small = Image.open(io.BytesIO(shrink(check(data.getvalue()), stored).data))
    from PIL import ImageOps

    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data.getvalue()))).resize(small.size)
    assert not small.getexif().get(0x0112)
    difference = np.abs(np.asarray(small, dtype=int) - np.asarray(expected, dtype=int))
    assert difference.mean() < 6


def test_a_cmyk_image_is_shrunk_to_rgb() -> None:
    small = shrink(check(encoded(size=(600, 400), mode="CMYK")), Stored(short_side=100))
    opened = Image.open(io.BytesIO(small.data))
    assert (opened.mode, opened.size) == ("RGB", (150, 100))
    assert np.asarray(opened)[10, 75][0] > 180


def test_shrinking_is_the_same_every_time() -> None:
    jpeg = check(encoded(size=(600, 400)))
    assert shrink(jpeg, Stored(short_side=64)).data == shrink(jpeg, Stored(short_side=64)).data
