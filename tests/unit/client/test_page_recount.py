"""A recount of a site on the page: a folder and a list become a table in the list's order."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.look import play
from tests.unit.client.page_process import page_of
from tests.unit.client.test_page_in_browser import clean
from tests.unit.inference.conftest import Running

Gray = Callable[..., bytes]
READY = {"see": ["#main", ""]}
HOSTILE = "x<img src=x onerror=document.title=1>"


@pytest.fixture(scope="module")
def page(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with page_of("--server", server.url, folder=tmp_path_factory.mktemp("page")) as address:
        yield f"{address}recount.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, gray: Gray) -> Path:
    """A folder of images as a site has them, with what systems leave beside them."""
    folder = tmp_path_factory.mktemp("site") / "Halle 7"
    files = {
        "Gang ä/1.jpg": gray(120), "Gang ä/2.PNG": gray(160, format="PNG"), "3.jpeg": gray(139),
        f"{HOSTILE}.jpg": gray(80), "damaged.jpg": b"no image", "notes.txt": b"x", "._3.jpeg": b"x",
    }  # fmt: skip
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


LIST = 'id;expected;note\r\n3;3;\r\nGang ä\\2.png;9;\r\nlost;1;\r\n\r\nGang ä/1;3,0;"a; b"\r\ndamaged;1;\r\n'
ROWS = ["3", "Gang ä/2", "lost", "Gang ä/1", "damaged", HOSTILE]


def test_the_table_has_the_lists_order_and_says_what_each_is(page: str, site: Path, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes(LIST.encode("cp1252"))  # as Excel on Windows saves a CSV
    seen = play(
        page, tmp_path, READY, {"axe": True}, {"measure": True},
        {"file": ["#folder", str(site)]}, {"file": ["#table", str(table)]},
        {"see": ["#given", "Images: 5. Rows of the list: 5, with an image: 4."]},
        {"click": "#start"},
        {"see": ["#sums", "6 of 6: 1 match, 0 do not match, 2 for a person,"]}, {"read": "#sums"},
        {"axe": True}, {"measure": True}, {"shot": "recount"}, {"read": "#rows"},
        {"download": "#save"}, {"read": "title"},
    )  # fmt: skip
    clean(seen, page.removesuffix("recount.html"))
    sums, text, title = seen.read
    assert sums.endswith("1 not in the list, 2 not counted")
    assert [text.index(identity) for identity in ROWS] == sorted(text.index(identity) for identity in ROWS)
    assert "this model counts 0 to 5" in text and "no image of this id" in text
    assert title == "bincount"
    with Path(seen.downloads[0]).open(encoding="utf-8-sig", newline="") as file:
        saved = [(row["id"], row["count"], row["verdict"]) for row in csv.DictReader(file)]
    assert saved == [
        ("3", "3", "uncertain"), ("Gang ä/2", "4", "uncertain"), ("lost", "", "fault"),
        ("Gang ä/1", "3", "match"), ("damaged", "", "fault"), (HOSTILE, "2", "counted"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LIST.encode("utf-16"), "Rows of the list: 5,"),
        (LIST.replace(";", "\t").encode("utf-8-sig"), "Rows of the list: 5,"),
        (b"sep=|\nID|Expected\n\"a\"\"b\"|4\nc|5", "Rows of the list: 2,"),
        (b"id,expected\rx,1\r", "Rows of the list: 1,"),
        (b"PK\x03\x04xyz", "Excel workbook"),
        (b"", "needs the columns id and expected"),
        (b"id,count\n1,2\n", "needs the columns id and expected"),
        (b"id,expected\n1,2.5\n", "Line 2 of the list: expected must be"),
        (b"id,expected\n1,1000000\n", "Line 2 of the list: expected must be"),
        (b"id,expected\n\n1,1\n1.jpg,1\n", "Line 4 of the list: the id 1 is there twice"),
        (b"id,expected\n,1\n", "Line 2 of the list has no id"),
    ],
    ids=str,
)  # fmt: skip
def test_a_list_is_read_as_spreadsheets_save_it(page: str, tmp_path: Path, data: bytes, words: str) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes(data)
    seen = play(page, tmp_path, READY, {"file": ["#table", str(table)]}, {"see": ["#given", words]})
    clean(seen, page.removesuffix("recount.html"))


def test_on_a_phone_nothing_sticks_out_and_ids_that_fit_nothing_are_named(
    page: str, site: Path, tmp_path: Path
) -> None:
    table = tmp_path / "list.csv"
    table.write_text("id,expected\nHalle 7/3,3\n")
    seen = play(
        page, tmp_path, READY, {"file": ["#folder", str(site)]}, {"file": ["#table", str(table)]},
        {"see": ["#given", "Zu keiner id der Liste gibt es ein Bild"]}, {"axe": True}, {"measure": True},
        view="hand-dark", locale="de",
    )  # fmt: skip
    clean(seen, page.removesuffix("recount.html"))
