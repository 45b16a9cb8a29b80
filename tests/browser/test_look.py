"""The looking itself, without which the tests of the pages would see nothing, and how the browser comes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import served as kit
from tests.browser.look import VIEWS, complaints, look

ROOT = Path(__file__).resolve().parents[2]
GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>A page</title></head>
<body><p>Nothing wrong.</p>{}</body>"""
FAULTS = {
    "<script>console.log('psst')</script>": "console: log: psst",
    "<script>nobody()</script>": "console: uncaught: nobody is not defined",
    '<link rel="stylesheet" href="https://fonts.example/a.css">': "requests: https://fonts.example/a.css",
    '<div style="width: 3000px">wide</div>': "sticks out: div: wide",
    '<p style="color: #aaa">pale</p>': "faint: {'text': 'pale'",
    '<p style="font-size: 8px">tiny</p>': "small: {'text': 'tiny'",
    '<img src="data:image/png;base64,AAAA" alt="lost">': "no image: lost",
    '<p style="width: 2em; overflow-wrap: anywhere">undecodable</p>': "cut in a word: undecodable",
}


def seen(text: str, folder: Path) -> list[str]:
    page = folder / "page.html"
    page.write_text(text, encoding="utf-8")
    return complaints(page, look(page, folder / "views"))


def test_a_page_without_a_fault_has_a_screenshot_of_every_view(tmp_path: Path) -> None:
    assert seen(GOOD.format(""), tmp_path) == []
    assert sorted(path.stem for path in (tmp_path / "views").glob("*.png")) == sorted(VIEWS)


def test_every_fault_is_reported_in_every_view(tmp_path: Path) -> None:
    faults = seen(GOOD.format("\n".join(FAULTS)), tmp_path)
    for fault in FAULTS.values():
        assert {line.split(":")[0] for line in faults if fault in line} == set(VIEWS), fault


def test_a_page_that_a_phone_would_shrink_is_reported(tmp_path: Path) -> None:
    (fault,) = seen(GOOD.replace("width=device-width", "").format(""), tmp_path)
    assert fault == "hand: laid out 980 pixels wide and shrunk, not 360"


def test_words_that_the_dark_makes_unreadable_are_reported_there_alone(tmp_path: Path) -> None:
    style = "<style>@media (prefers-color-scheme: dark) { body { background: #111 } }</style>"
    faults = seen(GOOD.format(style), tmp_path)
    assert {line.split(":")[0] for line in faults} == {"desk-dark", "hand-dark"}


def test_without_a_browser_the_test_fails_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "BROWSER", tmp_path)
    with pytest.raises(AssertionError, match="run `make browser`"):
        look(tmp_path / "page.html", tmp_path)


def test_on_another_system_make_browser_says_what_to_do(tmp_path: Path) -> None:
    uname = tmp_path / "bin" / "uname"
    uname.parent.mkdir()
    uname.write_text("#!/bin/sh\necho Darwin arm64\n")
    uname.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "tests" / "browser", tmp_path / "tests" / "browser")
    variables = {name: value for name, value in os.environ.items() if name != "CHROMIUM"}
    variables["PATH"] = f"{uname.parent}:{os.environ['PATH']}"
    done = subprocess.run(["make", "browser"], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode != 0
    assert (
        "this is Darwin arm64: install Chromium or Chrome and call make CHROMIUM=/path/to/it" in done.stdout
    )
