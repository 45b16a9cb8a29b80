"""fast_preprocess: nearly the pixels of `preprocess`, and exactly so where in doubt."""

import io
import re
import threading
from collections.abc import Callable

import numpy as np
import pytest
import simplejpeg
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bincount_core import preprocessing
from bincount_core.image import ImageFault, read_image
from bincount_core.jpeg import ORIENTATION
from bincount_core.limits import MOST_PIXELS
from bintrain.data.fast_preprocess import decode_quickly


def preprocess(data: bytes, *, width: int, height: int) -> NDArray[np.uint8]:
    """What the short way is held against."""
    return preprocessing.preprocess(read_image(data, max_pixels=MOST_PIXELS), width=width, height=height)


def sample_image(*, width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Edges and texture of many sizes, as a full bin has them."""
    random = np.random.default_rng(5)
    image = Image.new("RGB", (width, height), (120, 90, 60))
    for side in (90, 40, 15, 6):
        spots = random.integers(0, 255, (max(1, height // side), max(1, width // side), 3), dtype=np.uint8)
        layer = Image.fromarray(spots).resize((width, height), Image.Resampling.BICUBIC)
        image = Image.blend(image, layer, 0.35)
    return image.filter(ImageFilter.GaussianBlur(0.7)).convert(mode)


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **({"quality": 90} if form == "JPEG" else {}) | options)
    return buffer.getvalue()


def quickly(data: bytes, *, width: int, height: int) -> NDArray[np.uint8]:
    pixels = torch.full((height, width, 3), 7, dtype=torch.uint8)
    decode_quickly(data, into=pixels)
    return pixels.numpy()


def levels_apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.abs(one.astype(np.int64) - other)


@pytest.mark.parametrize(
    ("width", "height"),
    [(468, 345), (320, 250), (690, 560), (1072, 1160), (337, 336), (250, 1100), (300, 180), (60, 40)],
)
def test_it_is_the_image_of_preprocess_to_within_a_few_levels(width: int, height: int) -> None:
    data = encoded(sample_image(width=width, height=height))
    whole = np.asarray(Image.open(io.BytesIO(data)).resize((224, 224), Image.Resampling.BILINEAR))

    pixels = quickly(data, width=224, height=224)

    assert pixels.shape == (224, 224, 3) and pixels.dtype == np.uint8
    assert levels_apart(pixels, preprocess(data, width=224, height=224)).mean() < 4
    assert levels_apart(pixels, whole).mean() < 4


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_an_image_that_is_decoded_whole_differs_by_rounding_alone(mode: str, subsampling: str) -> None:
    options = {} if mode == "L" else {"subsampling": subsampling}
    data = encoded(sample_image(width=130, height=110, mode=mode), **options)

    apart = levels_apart(quickly(data, width=120, height=100), preprocess(data, width=120, height=100))

    assert apart.max() <= 1


@pytest.mark.parametrize("times", [0.5, 1.1, 1.18, 1.3, 1.45, 1.9, 2.3, 2.85, 3.7, 4.5, 9])
def test_it_is_as_sharp_as_the_image_that_serves(times: float) -> None:
    """Whole, half, quarter and eighth, each where it is as small as it may be, and larger."""
    data = encoded(sample_image(width=round(240 * times), height=round(230 * times)))

    ratio = sharpness(quickly(data, width=224, height=224)) / sharpness(
        preprocess(data, width=224, height=224)
    )

    assert 0.9 < ratio < 1.1


PARTS = [
    # size in the file, size asked for, part, how the part is resized
    ((239, 313), (224, 224), 1, "BILINEAR"),
    ((268, 400), (224, 224), 1, "BILINEAR"),
    ((269, 271), (224, 224), 2, "SHARP"),
    ((365, 366), (224, 224), 2, "SHARP"),
    ((367, 367), (224, 224), 2, "BICUBIC"),
    ((439, 443), (224, 224), 2, "BICUBIC"),
    ((269, 493), (224, 224), 2, "SHARP"),
    ((501, 269), (224, 224), 2, "BICUBIC"),
    ((450, 460), (224, 224), 2, "BILINEAR"),
    ((626, 645), (224, 224), 2, "BILINEAR"),
    ((629, 645), (224, 224), 4, "SHARP"),
    ((835, 845), (224, 224), 4, "BICUBIC"),
    ((900, 910), (224, 224), 4, "BILINEAR"),
    ((768, 1024), (96, 96), 8, "BILINEAR"),
    ((760, 1024), (96, 96), 4, "BILINEAR"),
    ((322, 1200), (224, 224), 2, "BILINEAR"),
    ((201, 401), (96, 260), 2, "BICUBIC"),
    ((401, 201), (260, 96), 2, "BICUBIC"),
    ((201, 401), (260, 96), 1, "BILINEAR"),
]


@pytest.mark.parametrize(("size", "asked", "part", "how"), PARTS)
def test_the_smallest_part_that_is_enough_is_resized(
    size: tuple[int, int], asked: tuple[int, int], part: int, how: str
) -> None:
    height, width = size
    data = encoded(sample_image(width=width, height=height))
    smaller = simplejpeg.decode_jpeg(
        data, "RGB", fastdct=True, fastupsample=True,
        min_height=-(-height // part), min_width=-(-width // part), min_factor=2,
    )  # fmt: skip
    assert smaller.shape[:2] == (-(-height // part), -(-width // part))
    if how == "SHARP":
        expected = sharply_enlarged(
            smaller, asked=asked, scales=(part * asked[0] / height, part * asked[1] / width)
        )
    else:
        # Bicubic: of the last row and column only the share that the image fills.
        box = (0, 0, width / part, height / part) if how == "BICUBIC" else None
        expected = np.asarray(
            Image.fromarray(smaller).resize((asked[1], asked[0]), Image.Resampling[how], box)
        )

    pixels = quickly(data, width=asked[1], height=asked[0])

    assert levels_apart(pixels, expected).max() <= 2


def sharply_enlarged(
    pixels: NDArray[np.uint8], *, asked: tuple[int, int], scales: tuple[float, float]
) -> NDArray[np.uint8]:
    """By cubic convolution (Keys, 1981) with a = -0.75, of which Pillow has no resize; edges are repeated."""
    levels = pixels.astype(np.float64)
    for axis in (0, 1):
        at = (np.arange(asked[axis]) + 0.5) / scales[axis] - 0.5
        levels = np.moveaxis(levels, axis, 0)
        levels = sum(
            cubic(at - place)[:, None, None] * levels[place.clip(0, len(levels) - 1)]
            for place in (np.floor(at).astype(int) + tap for tap in (-1, 0, 1, 2))
        )
        levels = np.moveaxis(levels, 0, axis)
    return levels.round().clip(0, 255).astype(np.uint8)


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    x, a = np.abs(distance), -0.75
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    return np.where(x <= 1, near, a * (x**3 - 5 * x**2 + 8 * x - 4))


@pytest.mark.parametrize("side", [269, 281, 315, 325, 337, 629, 645, 829])
def test_nothing_moves_where_a_side_does_not_divide(side: int) -> None:
    """Every part's last row and column hold less than the others."""
    data = encoded(sample_image(width=side, height=side))
    whole = np.asarray(Image.open(io.BytesIO(data)).resize((224, 224), Image.Resampling.BILINEAR))

    corner = levels_apart(quickly(data, width=224, height=224), whole)[-64:, -64:]

    assert corner.mean() < 3


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """How far neighbours are apart on average."""
    levels = pixels.astype(np.float64)
    return float(np.abs(np.diff(levels, axis=0)).mean() + np.abs(np.diff(levels, axis=1)).mean())


@pytest.mark.parametrize(("width", "height"), [(100, 90), (60, 223), (224, 30), (300, 40), (1, 1)])
def test_an_image_that_is_too_small_is_enlarged_as_preprocess_does_it(width: int, height: int) -> None:
    data = encoded(sample_image(width=width, height=height), subsampling="4:4:4")

    apart = levels_apart(quickly(data, width=224, height=224), preprocess(data, width=224, height=224))

    assert apart.max() <= 1


def test_memory_that_is_not_in_one_piece_is_rejected() -> None:
    window = torch.zeros((98, 98, 3), dtype=torch.uint8)[1:-1, 1:-1]

    with pytest.raises(ValueError, match="contiguous"):
        decode_quickly(encoded(sample_image(width=200, height=150)), into=window)


@pytest.mark.parametrize(
    ("width", "height"),
    [(96, 96), (110, 100), (130, 120), (200, 150), (210, 200)],
    ids=["as it is", "whole", "sharp bicubic", "bicubic", "bilinear"],
)
def test_only_the_image_asked_for_is_written(width: int, height: int) -> None:
    batch = torch.full((3, 96, 96, 3), 7, dtype=torch.uint8)

    decode_quickly(encoded(sample_image(width=width, height=height)), into=batch[1])

    assert bool((batch[[0, 2]] == 7).all()) and batch[1].float().std() > 10


def test_an_image_of_the_right_size_is_not_touched() -> None:
    data = encoded(sample_image(width=224, height=224))

    assert np.array_equal(quickly(data, width=224, height=224), preprocess(data, width=224, height=224))


XMP_TURN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(sample_image(width=400, height=300), exif=exif)


def with_luma_sampling(data: bytes, sampling: int) -> bytes:
    """Another sampling in the frame's header, whatever the data are."""
    changed = bytearray(data)
    changed[data.index(b"\xff\xc0") + 11] = sampling
    return bytes(changed)


@pytest.mark.parametrize("sampling", [width * 16 + height for width in (1, 2, 4) for height in (1, 2, 4)])
def test_a_sampling_that_nobody_uses_is_as_preprocess_has_it(sampling: int) -> None:
    data = with_luma_sampling(encoded(sample_image(width=64, height=64), subsampling="4:4:4"), sampling)

    def outcome(decode: Callable[..., NDArray[np.uint8]]) -> object:
        try:
            return decode(data, width=64, height=64).tolist()
        except ImageFault as error:
            return str(error)

    assert outcome(quickly) == outcome(preprocess)


def with_a_restart_before(data: bytes) -> bytes:
    """EXIF hidden behind a marker that has no length: taking EXIF's marker for one finds a scan."""
    begin = data.index(b"\xff\xe1")
    end = begin + 2 + int.from_bytes(data[begin + 2 : begin + 4], "big")
    front = b"\xff\xd8\xff\xd0" + data[begin:end]
    comment = bytes(0xFFE1 - len(front)) + b"\xff\xda"
    assert len(comment) < 0xFFFE
    front += b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return front + data[2:begin] + data[end:]


def with_filler(data: bytes) -> bytes:
    """Fill bytes before the first marker, which the standard allows (T.81, B.1.1.2)."""
    return data[:2] + b"\xff\xff" + data[2:]


@pytest.mark.parametrize(
    "data",
    [
        *(turned(orientation) for orientation in range(1, 9)),
        encoded(sample_image(width=400, height=300), xmp=XMP_TURN),
        encoded(sample_image(width=400, height=300), "PNG"),
        encoded(sample_image(width=400, height=300, mode="CMYK")),
        with_filler(turned(6)),
        with_filler(encoded(sample_image(width=400, height=300))),
        with_a_restart_before(turned(6)),
    ],
    ids=[
        *(f"exif {turn}" for turn in range(1, 9)),
        "xmp",
        "png",
        "cmyk",
        "filler and exif",
        "filler",
        "restart",
    ],
)
def test_what_is_no_plain_jpeg_is_exactly_as_preprocess_has_it(data: bytes) -> None:
    assert np.array_equal(quickly(data, width=96, height=80), preprocess(data, width=96, height=80))


def without_address(error: ImageFault) -> str:
    return re.sub(r" at 0x\w+", "", str(error))


@pytest.mark.parametrize("kept", [0, 1, 3, 10, 200, 700, 3000, -9])
def test_damaged_bytes_are_rejected_with_the_words_of_preprocess(kept: int) -> None:
    data = encoded(sample_image(width=400, height=300))[:kept]

    with pytest.raises(ImageFault) as expected:
        preprocess(data, width=64, height=64)
    with pytest.raises(ImageFault) as caught:
        quickly(data, width=64, height=64)

    assert without_address(caught.value) == without_address(expected.value)


@given(place=st.integers(2, 2000), byte=st.integers(0, 255))
def test_a_changed_byte_gives_pixels_or_one_clear_error(place: int, byte: int) -> None:
    data = bytearray(SMALL)
    data[place % len(data)] = byte
    try:
        assert quickly(bytes(data), width=32, height=32).shape == (32, 32, 3)
    except ImageFault as error:
        assert error.reason in ("undecodable", "too_large")


SMALL = encoded(sample_image(width=90, height=70))


def test_threads_do_not_disturb_each_other() -> None:
    samples = [encoded(sample_image(width=300 + 7 * step, height=260)) for step in range(12)]
    alone = [quickly(data, width=96, height=96) for data in samples]
    wrong: list[int] = []

    def work() -> None:
        for _ in range(5):
            for place, data in enumerate(samples):
                if not np.array_equal(quickly(data, width=96, height=96), alone[place]):
                    wrong.append(place)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
