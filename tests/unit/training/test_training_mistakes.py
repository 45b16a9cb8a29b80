"""Which mistakes are shown, and the sheet they are on."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bintrain.data.classes import Classes
from bintrain.evaluation.answers import Answers, answers
from bintrain.reports.mistakes import CAPTION, MARGIN, TILE, Tile, draw_contact_sheet, worst_mistakes

CLASSES = Classes(counts=(1, 2, 5), open_top=False)


def answered(*rows: tuple[int, int, float]) -> tuple[Answers, np.ndarray]:
    """Answers and truth: (true class, answered class, its logit over the others) of each image."""
    logits = np.zeros((len(rows), 3))
    for place, (_, predicted, strength) in enumerate(rows):
        logits[place, predicted] = strength
    found = answers(logits, temperature=1.0, by="most_probable")
    return found, np.array([true for true, _, _ in rows])


def sample_image(*, size: tuple[int, int], orientation: int) -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGB", size, "navy")
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_the_furthest_off_come_first_and_then_the_most_confident() -> None:
    found, true = answered((0, 0, 9.0), (0, 1, 1.0), (0, 1, 3.0), (0, 2, 1.0), (2, 2, 1.0))

    worst = worst_mistakes(found, true, classes=CLASSES)

    assert [(one.index, one.true, one.predicted) for one in worst] == [(3, 0, 2), (2, 0, 1), (1, 0, 1)]
    assert worst[1].confidence > worst[2].confidence


def test_no_more_are_shown_than_asked_for() -> None:
    found, true = answered(*[(0, 1, 1.0)] * 5)

    assert len(worst_mistakes(found, true, classes=CLASSES, most=2)) == 2


@pytest.mark.parametrize(("size", "orientation"), [((60, 90), 1), ((900, 600), 6)])
def test_an_image_is_shown_whole_and_upright_in_its_box(
    tmp_path: Path, size: tuple[int, int], orientation: int
) -> None:
    data = sample_image(size=size, orientation=orientation)
    tiles = [Tile(data=data, title="true 2 · counted 5", subtitle="confidence 40 %")] * 7

    draw_contact_sheet(tiles, empty="", path=tmp_path / "sheet.jpg")

    with Image.open(tmp_path / "sheet.jpg") as sheet:
        width, height = TILE[0] + MARGIN, TILE[1] + CAPTION + MARGIN
        assert sheet.size == (5 * width + MARGIN, 2 * height + MARGIN)
        middle = sheet.getpixel((MARGIN + TILE[0] // 2, MARGIN + TILE[1] // 2))
        beside = sheet.getpixel((MARGIN + 4, MARGIN + TILE[1] // 2))
    assert isinstance(middle, tuple) and isinstance(beside, tuple)
    assert middle[2] > 100 > middle[0] and min(beside) > 220


def test_without_a_mistake_the_sheet_says_so(tmp_path: Path) -> None:
    draw_contact_sheet([], empty="No mistake on 8 images.", path=tmp_path / "sheet.jpg")

    with Image.open(tmp_path / "sheet.jpg") as sheet:
        darkest, lightest = sheet.convert("L").getextrema()
    assert darkest < 100 and lightest > 250
