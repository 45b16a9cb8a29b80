"""Which damaged JPEGs are read and which are rejected, by all that reads images with the core."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from bincount_core.image import ImageFault, read_image
from bincount_core.preprocessing import preprocess
from data_prep.images import BadImage, check, shrink, thumbnail
from data_prep.request import Stored
from demo.bins.generate import generate

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "training"))
from bintrain.data.fast_preprocess import decode_quickly  # noqa: E402
from bintrain.reports.mistakes import Tile, draw_contact_sheet  # noqa: E402

Pixels = NDArray[np.uint8]
Damage = Callable[[bytes], bytes]

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SIZE = 96


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def inserted(*segments: bytes) -> Damage:
    """These bytes right behind the start of the image."""
    return lambda data: SOI + b"".join(segments) + data[2:]


def behind_the_first_segment(filler: bytes) -> Damage:
    def damage(data: bytes) -> bytes:
        end = 4 + int.from_bytes(data[4:6], "big")
        return data[:end] + filler + data[end:]

    return damage


def with_jfif(content: bytes) -> Damage:
    """Another APP0 segment in the place of the one that is there."""

    def damage(data: bytes) -> bytes:
        length = int.from_bytes(data[4:6], "big")
        assert data[2:4] == b"\xff\xe0"
        return SOI + segment(0xE0, content) + data[4 + length :]

    return damage


def with_scan_parameters(parameters: bytes) -> Damage:
    """Samsung's telephones write 00 00 00 for 00 3f 00. (In a progressive image they have a meaning.)"""

    def damage(data: bytes) -> bytes:
        if b"\xff\xc2" in data:
            return data
        at = data.index(b"\xff\xda")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        return data[: at + length - 1] + parameters + data[at + 2 + length :]

    return damage


def before_the_end(filler: bytes) -> Damage:
    return lambda data: data[:-2] + filler + EOI


def before_restarts(filler: bytes) -> Damage:
    return lambda data: re.sub(rb"\xff[\xd0-\xd7]", lambda found: filler + found[0], data)


def cut(share: float, *, end: bytes = b"") -> Damage:
    """What is left of the image data; the headers are whole."""

    def damage(data: bytes) -> bytes:
        start = data.index(b"\xff\xda")
        return data[: start + int((len(data) - start) * share)] + end

    return damage


def without_the_middle(data: bytes) -> bytes:
    start = data.index(b"\xff\xda")
    third = (len(data) - start) // 3
    return data[: start + third] + data[start + 2 * third :]


def without_its_last_scan(data: bytes) -> bytes:
    return data[: data.rindex(b"\xff\xda")]


GARBAGE = bytes(range(1, 60))
PHOTOSHOP = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\xff\xff\xff\xff"
ICC = b"ICC_PROFILE\x00"

WHOLE: dict[str, Damage] = {
    "nothing": lambda data: data,
    "JFIF without its version": with_jfif(b"JFIF"),
    "JFIF without its density": with_jfif(b"JFIF\x00\x01\x01"),
    "JFIF from the future": with_jfif(b"JFIF\x00\x03\x02\x00\x00\x01\x00\x01\x00\x00"),
    "JFIF with half a thumbnail": with_jfif(b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x08\x08abc"),
    "an empty APP0": with_jfif(b""),
    "a Photoshop segment that is damaged": inserted(segment(0xED, PHOTOSHOP)),
    "a Photoshop segment that is cut": inserted(segment(0xED, PHOTOSHOP[:-3])),
    "an ICC profile of no parts": inserted(segment(0xE2, ICC + b"\x00\x00garbage")),
    "an ICC profile with parts missing": inserted(segment(0xE2, ICC + b"\x05\x02zz")),
    "an ICC profile twice": inserted(*[segment(0xE2, ICC + b"\x01\x01zz")] * 2),
    "several images that are not there": inserted(segment(0xE2, b"MPF\x00II*\x00\xff\xff\xff\x7f")),
    "a comment": inserted(segment(0xFE, GARBAGE)),
    "an Adobe segment with an unknown transform": inserted(
        segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x07")
    ),
    "an Adobe segment that is cut": inserted(segment(0xEE, b"Adobe\x00\x64")),
    "broken EXIF": inserted(segment(0xE1, b"Exif\x00\x00MM\x00*\xff\xff\xff\xff garbage")),
    "bytes between segments": behind_the_first_segment(b"\x00\x00\x00"),
    "filler between segments": behind_the_first_segment(b"\xff\xff\xff"),
    "a second start": inserted(SOI),
    "Samsung's scan parameters": with_scan_parameters(b"\x00\x00\x00"),
    "odd scan parameters": with_scan_parameters(b"\x01\x20\x11"),
    "no end marker": lambda data: data[:-2],
    "half an end marker": lambda data: data[:-1],
    "two end markers": lambda data: data + EOI,
    "bytes behind the end": lambda data: data + GARBAGE,
    "a telephone's data behind the end": lambda data: data + SOI + GARBAGE + b"\xff\xdb\x00",
    "one zero before the end": before_the_end(b"\x00"),
    "two zeros before the end": before_the_end(b"\x00\x00"),
    "a thousand zeros before the end": before_the_end(bytes(1000)),
    "a byte before the end": before_the_end(b"\x5a\xa5"),
    "many at once": lambda data: inserted(segment(0xED, PHOTOSHOP), segment(0xE2, ICC + b"\0\0z"))(
        with_scan_parameters(b"\x00\x00\x00")(with_jfif(b"JFIF")(data))[:-2]
    ),
}
"""By name: what is wrong beside image data of which nothing is missing."""

CUT: dict[str, Damage] = {
    "nine tenths": cut(0.9),
    "two thirds": cut(0.67),
    "a third": cut(0.33),
    "a tenth": cut(0.1),
    "no data": cut(0.0, end=b"\xff\xda"),
    "two thirds and an end marker": cut(0.67, end=EOI),
    "two thirds and zeros": lambda data: cut(0.67, end=bytes(2000) + EOI)(data),
    "the last ten bytes": lambda data: data[:-12] + EOI,
    "the middle": without_the_middle,
    "two thirds, and JFIF without its version": lambda data: with_jfif(b"JFIF")(cut(0.67)(data)),
    "two thirds, and an odd ICC profile": lambda data: inserted(segment(0xE2, ICC + b"\0\0z"))(
        cut(0.67, end=EOI)(data)
    ),
    "two thirds, and Samsung's scan parameters": lambda data: with_scan_parameters(b"\0\0\0")(
        cut(0.67, end=EOI)(data)
    ),
    "two thirds, and bytes before the end": cut(0.67, end=b"\x00\x00" + EOI),
    "the header": lambda data: data[: data.index(b"\xff\xc4")],
    "all but three bytes": lambda data: data[:3],
}
"""By name: what is missing of the image data itself."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    out = tmp_path_factory.mktemp("bin")
    generate(out=out, images=1, seed=3, counts=range(4, 5))
    return Image.open(next(out.glob("bin-images/*.jpg"))).convert("RGB")


FORMS: dict[str, dict[str, object]] = {
    "baseline": {},
    "restarts": {"restart_marker_rows": 1},
    "progressive": {"progressive": True},
    "4:4:4": {"subsampling": "4:4:4"},
    "gray": {"mode": "L"},
    "cmyk": {"mode": "CMYK"},
}


def encoded(image: Image.Image, *, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, "JPEG", quality=90, **options)
    data = buffer.getvalue()
    if mode == "CMYK":  # Pillow writes no JFIF here; the damages want one
        data = SOI + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00") + data[2:]
    return data


@pytest.fixture(scope="module", params=FORMS)
def plain(request: pytest.FixtureRequest, drawn: Image.Image) -> bytes:
    return encoded(drawn, **FORMS[request.param])


def served(data: bytes) -> Pixels:
    """As training evaluates and serving answers."""
    return preprocess(read_image(data, max_pixels=25_000_000), width=SIZE, height=SIZE)


def trained_on(data: bytes) -> Pixels:
    pixels = torch.zeros((SIZE, SIZE, 3), dtype=torch.uint8)
    decode_quickly(data, into=pixels)
    return pixels.numpy()


def stored(data: bytes) -> Pixels:
    small = shrink(check(data), Stored(short_side=64))
    return np.asarray(Image.open(io.BytesIO(small.data)))


@pytest.mark.parametrize("damage", WHOLE)
def test_a_whole_image_is_read_by_all_with_the_same_pixels(plain: bytes, damage: str, tmp_path: Path):
    data = WHOLE[damage](plain)
    for read in (served, stored):
        np.testing.assert_array_equal(read(data), read(plain), err_msg=read.__name__)
    # The short way leaves to the exact one what it does not know: nearly the same image.
    assert np.abs(trained_on(data).astype(int) - trained_on(plain)).mean() < 4
    assert thumbnail(data, height=60) == thumbnail(plain, height=60)
    draw_contact_sheet([Tile(data=data, title="", subtitle="")], empty="", path=tmp_path / "sheet.jpg")


@pytest.mark.parametrize("damage", CUT)
def test_a_cut_image_is_rejected_by_all_with_a_reason(plain: bytes, damage: str):
    data = CUT[damage](plain)
    for read in (served, trained_on):
        with pytest.raises(ImageFault) as caught:
            read(data)
        assert caught.value.reason == "undecodable" and str(caught.value)
    with pytest.raises(BadImage) as rejected:
        check(data)
    assert rejected.value.reason == "undecodable" and str(rejected.value)


def test_a_progressive_image_that_ends_between_two_scans_is_cut(drawn: Image.Image):
    """All that is there decodes without a warning: only the missing bits show it."""
    data = without_its_last_scan(encoded(drawn, progressive=True))
    assert accepted_by(data) == {"served": False, "trained_on": False, "prepared": False}


@pytest.mark.parametrize("form", ["4:2:0", "4:4:4", "gray", "cmyk"])
@pytest.mark.parametrize(
    "filler", [b"\x00", bytes(50), b"\x5a\xa5", b"\x12\x34\x56\x78\x9a\xbc\xde\x01\x23\x45"]
)
def test_bytes_before_restart_markers_as_cameras_leave_them_are_no_damage(
    drawn: Image.Image, form: str, filler: bytes
):
    options: dict[str, object] = {"mode": {"gray": "L", "cmyk": "CMYK"}.get(form, "RGB")}
    if form.startswith("4"):
        options["subsampling"] = form
    plain = encoded(drawn, restart_marker_rows=1, **options)
    data = before_restarts(filler)(plain)
    assert data.count(filler + b"\xff\xd0") >= 2
    for read in (served, stored):
        np.testing.assert_array_equal(read(data), read(plain), err_msg=read.__name__)
    assert set(accepted_by(data).values()) == {True}


def without_a_part_of_an_interval(data: bytes) -> bytes:
    at = data.index(b"\xff\xd2")
    return data[: at - 40] + data[at:]


def without_an_interval(data: bytes) -> bytes:
    first, second = data.index(b"\xff\xd2"), data.index(b"\xff\xd3")
    return data[:first] + data[second:]


def with_much_before_a_restart(data: bytes) -> bytes:
    return data.replace(b"\xff\xd2", bytes(range(1, 100)) + b"\xff\xd2", 1)


@pytest.mark.parametrize(
    "damage",
    [without_a_part_of_an_interval, without_an_interval, with_much_before_a_restart, cut(0.6, end=EOI)],
)
@pytest.mark.parametrize("filler", [b"", b"\x00", b"\x5a\xa5\x5a"])
def test_a_part_that_is_missing_is_found_behind_harmless_bytes(
    drawn: Image.Image, damage: Damage, filler: bytes
):
    """libjpeg warns of the first filler and of nothing that comes later."""
    data = before_restarts(filler)(damage(encoded(drawn, restart_marker_rows=1)))
    assert set(accepted_by(data).values()) == {False}


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("damage", ["JFIF without its version", "no end marker", "Samsung's scan parameters"])
def test_the_orientation_is_kept(drawn: Image.Image, orientation: int, damage: str):
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = encoded(drawn, exif=exif)
    jfif = SOI + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    data = WHOLE[damage](plain if plain[2:4] == b"\xff\xe0" else jfif + plain[2:])
    for read in (served, trained_on, stored):
        np.testing.assert_array_equal(read(data), read(plain), err_msg=read.__name__)


def accepted_by(data: bytes) -> dict[str, bool]:
    """The readers that take the image; anything but their own error fails the test."""
    takers = {"served": served, "trained_on": trained_on, "prepared": check}
    found: dict[str, bool] = {}
    for name, take in takers.items():
        try:
            take(data)
        except (ImageFault, BadImage):
            found[name] = False
        else:
            found[name] = True
    return found


@pytest.mark.parametrize("seed", range(4))
def test_all_decide_alike_on_a_thousand_random_damages(drawn: Image.Image, seed: int):
    random = np.random.default_rng(seed)
    forms = [encoded(drawn.resize((120, 90)), **options) for options in FORMS.values()]
    for number in range(250):
        data = bytearray(forms[number % len(forms)])
        for _ in range(int(random.integers(1, 4))):
            place = int(random.integers(3, len(data)))
            kind = int(random.integers(4))
            if kind == 0:
                data[place] = int(random.integers(256))
            elif kind == 1:
                del data[place : place + int(random.integers(1, 40))]
            elif kind == 2:
                data[place:place] = random.bytes(int(random.integers(1, 40)))
            else:
                del data[place:]
                break
        takers = accepted_by(bytes(data))
        assert len(set(takers.values())) == 1, (number, takers)
