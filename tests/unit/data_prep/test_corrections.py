"""Corrections: followed and recorded, undone without the file, and every wrong row reported at once."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bincount_sources.names import id_of
from data_prep.cli import main, make_dataset
from data_prep.errors import BadRequest
from data_prep.request import parse_request
from data_prep.select.corrections import parse_corrections
from data_prep.steps.open_run import open_run
from data_prep.storage.directory_store import DirectoryStore
from tests.unit.data_prep.conftest import begin
from tests.unit.data_prep.test_own_sources import photographs, table

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
COUNTS = {f"{block * 100 + place:05d}": (block + place) % 3 for block in range(20) for place in range(3)}
MOMENT = "2026-11-28T10:00:00Z"


def row(identity: str, action: str, old: Any, new: Any = None, **more: Any) -> dict[str, Any]:
    said = {"id": identity, "action": action, "old_count": old, "who": "Ana", "when": MOMENT} | more
    return said if new is None else said | {"new_count": new}


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def make(source: Path, target: Path, corrections: Path | None, **fields: Any) -> Path:
    named = {} if corrections is None else {"corrections": str(corrections)}
    run = begin(source, target, **named, **fields)
    return target / make_dataset(run, quiet=True)["prefix"]


def lines(path: Path) -> dict[str, dict[str, Any]]:
    listed = (json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines())
    return {line["id"]: line for line in listed}


@pytest.fixture
def source(make_source: Callable[..., Path]) -> Path:
    return make_source(COUNTS)


@pytest.fixture
def corrections(tmp_path: Path) -> Path:
    """Labels in the source: 00000 is 0, 00001 is 1, 00002 is 2, 00100 is 1."""
    return written(
        tmp_path / "corrections.jsonl",
        row("00000", "correct", 0, 2),
        row("00001", "exclude", 1),
        row("00002", "keep", 2),
        row("00100", "correct", 1, 7),
    )


@pytest.mark.parametrize("layout", ["folders", "shards", "both"])
def test_a_corrected_label_is_the_datasets_and_the_old_one_is_kept(
    source: Path, tmp_path: Path, corrections: Path, layout: str
) -> None:
    before = lines(make(source, tmp_path / "target", None, layout=layout) / "manifest.jsonl.gz")
    dataset = make(source, tmp_path / "target", corrections, layout=layout)
    after = lines(dataset / "manifest.jsonl.gz")

    assert (after["00000"]["count"], after["00000"]["old_count"]) == (2, 0)
    assert after["00002"]["count"] == 2 and "old_count" not in after["00002"]
    assert before.keys() - after.keys() == {"00001"}
    rejected = lines(dataset / "rejected.jsonl.gz")["00001"]
    assert rejected["reason"] == "excluded" and "Ana" in rejected["detail"]
    if layout != "shards":
        assert (dataset / after["00000"]["key"]).is_file() and "/2/" in after["00000"]["key"]
    assert {name: line["split"] for name, line in after.items()} == {
        name: line["split"] for name, line in before.items() if name in after
    }


def test_the_dataset_says_what_was_corrected_and_obeys_its_schemas(
    source: Path, tmp_path: Path, corrections: Path
) -> None:
    dataset = make(source, tmp_path / "target", corrections)
    summary = json.loads((dataset / "dataset.json").read_text())
    digest = hashlib.sha256(corrections.read_bytes()).hexdigest()

    assert summary["corrections"] == {"sha256": digest, "kept": 1, "corrected": 2, "excluded": 1}
    assert summary["request"]["corrections"] == str(corrections)
    assert summary["rejected"] == {"excluded": 1}
    assert "2 corrected, 1 images excluded" in (dataset / "dataset.html").read_text()
    jsonschema.validate(summary, json.loads((SCHEMAS / "dataset.schema.json").read_text()))
    manifest = json.loads((SCHEMAS / "manifest.schema.json").read_text())
    for line in lines(dataset / "manifest.jsonl.gz").values():
        jsonschema.validate(line, manifest)


def test_without_the_file_the_old_dataset_comes_again(
    source: Path, tmp_path: Path, corrections: Path
) -> None:
    before = make(source, tmp_path / "target", None)
    assert make(source, tmp_path / "target", corrections) != before
    again = make(source, tmp_path / "again", None)

    assert again.name == before.name
    assert (again / "manifest.jsonl.gz").read_bytes() == (before / "manifest.jsonl.gz").read_bytes()


def test_a_corrections_file_that_changed_makes_another_dataset(
    source: Path, tmp_path: Path, corrections: Path
) -> None:
    first = make(source, tmp_path / "target", corrections)
    written(corrections, row("00000", "correct", 0, 1))
    second = make(source, tmp_path / "target", corrections)
    assert first != second
    assert lines(second / "manifest.jsonl.gz")["00000"]["count"] == 1


def test_a_label_outside_the_wanted_counts_is_not_selected(
    source: Path, tmp_path: Path, corrections: Path
) -> None:
    dataset = make(source, tmp_path / "target", corrections, file_list=None, counts=[0, 2])
    assert "00100" not in lines(dataset / "manifest.jsonl.gz")
    assert json.loads((dataset / "dataset.json").read_text())["not_selected"] == 1


def test_rows_that_fit_no_image_are_reported_all_at_once(source: Path, tmp_path: Path) -> None:
    (source / "bin-images" / "00202.jpg").write_bytes((source / "bin-images" / "00000.jpg").read_bytes())
    file = written(
        tmp_path / "wrong.jsonl",
        row("00000", "keep", 1),
        row("00002", "correct", 2, 1),
        row("7", "exclude", 1),
        row("00202", "exclude", 1),
    )
    with pytest.raises(BadRequest) as error:
        make(source, tmp_path / "target", file)
    for words in (
        "3 wrong row(s)",
        "line 1: 00000 is labelled 0, not 1",
        "line 3: 7 is not among the images",
        "line 4: 00202 is not among the images that the request reads (duplicate)",
    ):
        assert words in str(error.value)
    assert "line 2" not in str(error.value)


def test_a_row_is_right_once_the_source_is(source: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "file.jsonl", row("00000", "correct", 1, 2))
    with pytest.raises(BadRequest):
        make(source, tmp_path / "target", file)
    (source / "metadata" / "00000.json").write_text('{"EXPECTED_QUANTITY": 1}')
    dataset = make(source, tmp_path / "target", file)
    assert lines(dataset / "manifest.jsonl.gz")["00000"]["old_count"] == 1


WRONG_ROWS: list[tuple[Any, str]] = [
    (row("00000", "correct", 0, 20_000), "new_count: Input should be less than or equal to 10000"),
    (row("00000", "correct", 0, -1), "new_count: Input should be greater than or equal to 0"),
    (row("00000", "correct", 0, "2"), "give a whole number from 0 to 10000"),
    (row("00000", "correct", 0, True), "new_count: Input should be a valid integer"),
    (row("00000", "correct", 0), "correct wants new_count"),
    (row("00000", "keep", 0, 2), "keep takes no new_count"),
    (row("00000", "correct", 2, 2), "write keep"),
    (row("00000", "drop", 0), "give keep, correct or exclude"),
    (row("../x", "keep", 0), "as the dataset's manifest has it"),
    ({"id": 900, "action": "keep", "old_count": 0, "who": "A", "when": MOMENT}, "in quotes"),
    (row("00000", "keep", 0, who=""), "give the name of the person"),
    (row("00000", "keep", 0, when="yesterday"), "when: Invalid isoformat"),
    (row("00000", "keep", 0, comment="x"), "comment: there is no such field"),
    ({"id": "00000"}, "action: Field required"),
    ([1], "it holds a list"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG_ROWS)
def test_a_row_of_another_form_says_how_to_correct_it(wrong: Any, words: str) -> None:
    rows, faults = parse_corrections(f"\n{json.dumps(wrong)}\n".encode(), address="file")
    assert not rows
    assert len(faults) == 1 and faults[0].startswith("line 2: ") and words in faults[0]


def test_rows_of_another_form_are_reported_all_at_once(source: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "wrong.jsonl", *(wrong for wrong, _ in WRONG_ROWS), row("00000", "keep", 0))
    file.write_bytes(file.read_bytes() + b'{"id": "1", "id": "2"}\nnot json\n' + b"{}\n" * 40)
    with pytest.raises(BadRequest) as error:
        make(source, tmp_path / "target", file)
    assert f"{len(WRONG_ROWS) + 42} wrong row(s)" in str(error.value)
    kept = Path(str(error.value).rpartition("all are in ")[2])
    assert len(gzip.decompress(kept.read_bytes()).splitlines()) == len(WRONG_ROWS) + 42


def test_an_image_that_is_named_again_is_reported() -> None:
    content = "\n".join(json.dumps(row("00000", action, 0)) for action in ("keep", "exclude"))
    _, faults = parse_corrections(content.encode(), address="file")
    assert faults == ["line 2: 00000 is in line 1 too; keep one of them"]


@pytest.mark.parametrize("content", [b"", b"\n \n", "{}".encode("utf-16")])
def test_a_file_without_rows_is_refused(content: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_corrections(content, address="file")


def test_a_file_as_other_systems_save_it_is_read() -> None:
    content = b"\xef\xbb\xbf" + json.dumps(row("00000", "keep", 0, who="Zoë\u2028")).encode() + b"\r\n\r\n"
    rows, faults = parse_corrections(content, address="file")
    assert not faults and rows[0]["id"] == "00000"


def test_images_of_ones_own_are_corrected_by_id(tmp_path: Path) -> None:
    made = photographs(tmp_path / "photos")
    labels = table(tmp_path / "labels.csv", made)
    name, count, _ = made[0]
    file = written(tmp_path / "c.jsonl", row(id_of(name), "correct", count, 2, name=name))
    source = {"directory": str(tmp_path / "photos"), "kind": "table", "labels": str(labels)}
    request = {"source": source, "corrections": str(file)}
    run = open_run(DirectoryStore(tmp_path / "target"), parse_request(request, directories=True))
    dataset = tmp_path / "target" / make_dataset(run, quiet=True)["prefix"]
    corrected = lines(dataset / "manifest.jsonl.gz")[id_of(name)]
    assert (corrected["name"], corrected["count"], corrected["old_count"]) == (name, 2, count)


def test_the_command_line_takes_a_corrections_file(
    source: Path, tmp_path: Path, corrections: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--source", str(source), "--target", str(tmp_path / "t"), "--counts", "0-9", "--quiet"]
    assert main([*arguments, "--corrections", str(corrections)]) == 0
    written(corrections, row("7", "keep", 0), row("8", "keep", 0))
    assert main([*arguments, "--corrections", str(corrections)]) == 1
    said = capsys.readouterr().err
    assert "line 1: 7 is not" in said and "line 2: 8 is not" in said


def test_an_example_row_obeys_the_schema(corrections: Path) -> None:
    schema = json.loads((SCHEMAS / "correction.schema.json").read_text())
    for line in corrections.read_text().splitlines():
        jsonschema.validate(json.loads(line), schema)
    for wrong in (row("00000", "keep", 0, 2), row("00000", "correct", 0)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
