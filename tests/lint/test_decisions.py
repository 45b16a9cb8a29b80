"""The decision records: numbered without a gap, in one form, short, and all in the index."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
PARTS = ("Context", "Decision", "Figure", "Consequences")
STATUS = re.compile(r"Status: (accepted, \w+ \d{4}|superseded by \[\d+\]\(\S+\))")


def test_they_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_short_and_has_every_part(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert 10 <= len(lines) <= 25
    assert lines[0].startswith(f"# {int(path.name[:4])}. ")
    assert STATUS.fullmatch(lines[2]), lines[2]
    assert [line.split(".**")[0][2:] for line in lines if line.startswith("**")] == list(PARTS)


def test_the_index_names_each_with_its_title_and_status() -> None:
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \| (\w+)", (FOLDER / "README.md").read_text(), re.M)
    texts = [path.read_text().splitlines() for path in RECORDS]
    assert rows == [
        (str(number), text[0].split(". ", 1)[1], path.name, text[2].split(": ")[1].split()[0].strip(","))
        for number, (path, text) in enumerate(zip(RECORDS, texts, strict=True), 1)
    ]
