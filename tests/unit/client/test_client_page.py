"""The page of a site: one file, safe with any name, and laid out by a real browser."""

import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from bincount.site.report import SiteReport
from bincount.site.row import Row
from bincount.site.summary import WORST
from tests.browser.look import complaints, look

HOSTILE = '<script>document.title="owned"</script>"><img src=x onerror=alert(1)>'


def image_of(row: Row) -> bytes | None:
    """An image for all but the third."""
    if row.id == "mismatch 2":
        return b"no image"
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (90, 60 + hash(row.id) % 100, 140)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with SiteReport(folder) as report:
        for n in range(940):
            report.add(Row(id=f"match {n}", image=None, count=2, confidence=0.9, low=2, high=2, expected=2,
                           verdict="match", probability=0.9))  # fmt: skip
        for n in range(31):
            name = HOSTILE if n == 0 else f"mismatch {n}"
            report.add(Row(id=name, image="x", count=3, confidence=0.9, low=2, high=4, expected=7,
                           verdict="mismatch", probability=n / 1000))  # fmt: skip
        for n in range(120):
            report.add(Row(id=f"unsure {n}", image=None, count=3, confidence=0.4, low=1, high=5, review=True,
                           expected=3, verdict="uncertain", probability=0.4))  # fmt: skip
        for n in range(9):
            report.add(Row.of_error("undecodable_image", "no", id=f"bad {n}", image=None, expected=1))
        files = report.finish(
            title="Recount of a site & more", facts={"images": "s3://bins/<1>/"}, image_of=image_of
        )
    return files["page"]


class Outline(HTMLParser):
    """What a page shows and what it would fetch or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        assert not any(name.startswith("on") for name in given), given
        if "src" in given or "href" in given:
            self.sources.append(given.get("src") or given.get("href") or "")


def test_the_page_needs_no_other_file_and_runs_nothing(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    outline = Outline(text)
    assert not {"script", "link", "iframe", "object"} & set(outline.tags)
    assert all(source.startswith("data:image/jpeg;base64,") for source in outline.sources)
    assert "url(" not in text and "@import" not in text


def test_the_worst_mismatches_are_there_with_their_images(page: Path) -> None:
    outline = Outline(page.read_text(encoding="utf-8"))
    assert outline.tags.count("figure") == WORST
    assert len(outline.sources) == WORST - 1, "one of them is not an image and the page does without it"


def test_a_browser_shows_every_figure_on_a_desk_in_a_hand_and_on_paper(page: Path, tmp_path: Path) -> None:
    views = look(page, tmp_path)
    assert complaints(page, views) == []
    for view in views.values():
        assert view.title == "Recount of a site & more", "no name of a bin ran as a script"
        assert HOSTILE in view.text
        for shown in ("1,100", "940", "31", "120", "9"):
            assert shown in view.text.split("\n")
