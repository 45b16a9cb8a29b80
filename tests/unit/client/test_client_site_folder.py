"""`bincount site FOLDER`, whole: a folder as people have them, the real server, the files that come of it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.client.conftest import Api, Bincount

Gray = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, gray: Gray) -> Path:
    """Eight bins that show 1 to 4 objects in two aisles, and what lies about beside them."""
    made = tmp_path / "images"
    for number in range(8):
        path = made / f"aisle {number % 2 + 1}" / f"{900 + number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gray(40 * (number % 4 + 1)))
    (made / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (made / "notes.txt").write_text("count aisle 2 twice")
    for name in ("aisle 1/._00900.jpg", "__MACOSX/aisle 1/00900.jpg", ".DS_Store", "Thumbs.db"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(b"\0\5\x16\7")
    return made


@pytest.fixture
def site(bincount: Bincount, api: Api, folder: Path, tmp_path: Path) -> Callable[..., str]:
    """Recounts the folder against a manifest's text; all that was printed."""

    def run(manifest: str | bytes | None, *, check: int) -> str:
        given: list[str | Path] = []
        if manifest is not None:
            path = tmp_path / "m.csv"
            path.write_bytes(manifest if isinstance(manifest, bytes) else manifest.encode())
            given = ["--manifest", path]
        done = bincount("site", folder, "--api-url", api.url, *given, check=check)
        return done.stdout + done.stderr

    return run


def rows(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / "recount" / "recount.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def figures(tmp_path: Path) -> dict[str, object]:
    return json.loads((tmp_path / "recount" / "summary.json").read_text())


def test_the_csv_has_the_manifest_s_order_and_columns(site: Callable[..., str], tmp_path: Path) -> None:
    site("place;id;expected\nA-7;aisle 2/00903;4\nA-9;aisle 1/00900.jpg;1,0\n;;\n", check=4)
    found = rows(tmp_path)
    assert [row["id"] for row in found[:2]] == ["aisle 2/00903", "aisle 1/00900"]
    assert [(row["place"], row["verdict"]) for row in found[:2]] == [("A-7", "match"), ("A-9", "match")]
    # What the manifest does not name follows, in the order of names, with nothing in its columns.
    rest = [row["id"] for row in found[2:]]
    assert rest == ["aisle 1/00902", "aisle 1/00904", "aisle 1/00906", "aisle 2/00901", "aisle 2/00905",
                    "aisle 2/00907", "IMG_1"]  # fmt: skip
    assert {row["place"] for row in found[2:]} == {""}


def test_a_manifest_that_names_no_image_is_rejected_at_once(site: Callable[..., str], api: Api) -> None:
    said = site("id,expected\n" + "".join(f"{900 + n:05},3\n" for n in range(8)), check=1)
    assert "error: none of 8 ids" in said
    assert "aisle 1/00900" in said, "what the ids of the images look like"
    assert api.requests == [], "nothing was counted"


def test_ids_that_a_spreadsheet_made_numbers_of_get_a_hint(site: Callable[..., str], tmp_path: Path) -> None:
    said = site("id,expected\naisle 1/00900,1\naisle 1/902,3\naisle 1/777,1\n", check=4)
    (hint,) = [line for line in said.splitlines() if "2 of 3 ids" in line]
    assert "aisle 1/902" in hint and "aisle 1/00902" in hint and "aisle 1/777" not in hint
    assert "leading zeros" in said
    messages = {row["id"]: row["message"] for row in rows(tmp_path) if row["error"] == "no_image"}
    assert "'aisle 1/00902'" in messages["aisle 1/902"]
    assert "aisle" not in messages["aisle 1/777"]


def test_an_image_in_another_format_is_a_row_that_names_it(site: Callable[..., str], tmp_path: Path) -> None:
    site("id,expected\nIMG_1.HEIC,2\naisle 1/00900,1\n", check=4)
    first = rows(tmp_path)[0]
    assert (first["id"], first["error"], first["expected"]) == ("IMG_1", "unsupported_format", "2")
    assert "HEIC" in first["message"] and "JPEG" in first["message"]


def test_the_original_beside_its_jpeg_is_left_alone(
    site: Callable[..., str], folder: Path, gray: Gray, tmp_path: Path
) -> None:
    (folder / "IMG_1.jpg").write_bytes(gray(40))
    said = site(None, check=0)
    assert {row["error"] for row in rows(tmp_path)} == {""}
    assert "2: notes.txt, IMG_1.HEIC" in said


def test_other_files_are_listed_and_the_system_s_passed_over(
    site: Callable[..., str], tmp_path: Path
) -> None:
    said = site(None, check=4)
    assert "1: notes.txt" in said
    assert figures(tmp_path)["bins"] == 9, "eight bins and a HEIC"
    assert "notes.txt" in (tmp_path / "recount" / "summary.html").read_text()


def test_a_folder_of_heic_alone_is_reported_as_such(bincount: Bincount, api: Api, tmp_path: Path) -> None:
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "IMG_1.HEIC").write_bytes(b"x")
    done = bincount("site", tmp_path / "phone", "--api-url", api.url, check=1)
    assert "IMG_1.HEIC is HEIC" in done.stderr


def test_letters_match_in_either_unicode_form(
    site: Callable[..., str], folder: Path, gray: Gray, tmp_path: Path
) -> None:
    (folder / "aisle 1" / "Gera\u0308t.jpg").write_bytes(gray(40))
    site("id,expected\naisle 1\\Ger\u00e4t,1\n", check=4)
    assert (rows(tmp_path)[0]["id"], rows(tmp_path)[0]["verdict"]) == ("aisle 1/Ger\u00e4t", "match")


def test_settled_are_only_answers_that_ask_for_no_review(
    site: Callable[..., str], folder: Path, gray: Gray, tmp_path: Path
) -> None:
    for path in folder.glob("aisle */0*.jpg"):
        path.write_bytes(gray(100))  # between 2 and 3: every answer asks for review
    site("id,expected\naisle 1/00900,5\n", check=3)
    found = figures(tmp_path)
    assert (found["mismatched"], found["settled"]) == (1, 0)
    assert "0.0 % of them were settled" in (tmp_path / "recount" / "summary.html").read_text()


def test_the_page_names_the_bins_that_are_left_for_a_person(
    site: Callable[..., str], folder: Path, gray: Gray, tmp_path: Path
) -> None:
    (folder / "aisle 1" / "00902.jpg").write_bytes(gray(100))
    (folder / "aisle 1" / "00904.jpg").write_bytes(b"no image")
    site(None, check=4)
    page = (tmp_path / "recount" / "summary.html").read_text()
    to_recount, without_count = page.split("To be recounted by a person</h2>")[1].split(
        "Bins without a count</h2>"
    )
    assert "aisle 1/00902" in to_recount and "aisle 1/00900" not in to_recount
    assert "aisle 1/00904" in without_count and "IMG_1" in without_count
