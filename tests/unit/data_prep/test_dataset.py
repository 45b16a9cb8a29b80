"""From a folder to a sealed dataset: what is accepted, what is rejected and why, and that nothing is lost."""

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from data_prep.cli import make_dataset
from data_prep.errors import BadRequest, NotReconciled
from data_prep.steps.arrange import arrange
from data_prep.steps.plan import plan, remaining
from data_prep.steps.seal import seal
from data_prep.storage.directory_store import DirectoryStore
from tests.unit.data_prep.conftest import all_splits, arranged, begin

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
COUNTS = {f"{block * 100 + place:05d}": (block + place) % 3 for block in range(20) for place in range(3)}


def make(source: Path, target: Path, **fields: Any) -> Path:
    """The folder of the sealed dataset."""
    run = begin(source, target, **fields)
    return target / make_dataset(run, quiet=True)["prefix"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def rejected(dataset: Path) -> dict[str, str]:
    return {line["id"]: line["reason"] for line in lines(dataset / "rejected.jsonl.gz")}


def summary(dataset: Path) -> dict[str, Any]:
    return json.loads((dataset / "dataset.json").read_text())


@pytest.fixture
def source(make_source: Callable[..., Path]) -> Path:
    return make_source(COUNTS)


@pytest.mark.parametrize("layout", ["folders", "shards", "both"])
def test_the_files_obey_their_schemas(source: Path, tmp_path: Path, layout: str) -> None:
    dataset = make(source, tmp_path / "target", layout=layout)
    jsonschema.validate(summary(dataset), json.loads((SCHEMAS / "dataset.schema.json").read_text()))
    manifest = json.loads((SCHEMAS / "manifest.schema.json").read_text())
    for line in lines(dataset / "manifest.jsonl.gz"):
        jsonschema.validate(line, manifest)


def test_the_manifest_names_every_image_once_sorted_by_id(source: Path, tmp_path: Path) -> None:
    dataset = make(source, tmp_path / "target")
    manifest = lines(dataset / "manifest.jsonl.gz")
    assert [line["id"] for line in manifest] == sorted(COUNTS)
    for line in manifest:
        stored = (dataset / line["key"]).read_bytes()
        assert stored == (source / "bin-images" / f"{line['id']}.jpg").read_bytes()
        assert (
            line["key"]
            == f"{'train' if line['split'] == 'train' else 'val'}/{COUNTS[line['id']]}/{line['id']}.jpg"
        )
        assert (line["bytes"], line["width"], line["height"]) == (len(stored), 48, 40)


def test_dataset_json_counts_what_the_manifest_holds(source: Path, tmp_path: Path) -> None:
    dataset = make(source, tmp_path / "target")
    manifest, reported = lines(dataset / "manifest.jsonl.gz"), summary(dataset)
    for split in ("train", "validation", "test"):
        counts = Counter(str(line["count"]) for line in manifest if line["split"] == split)
        assert reported["counts"][split] == counts
    assert reported["images"] == len(manifest)
    assert reported["bytes"] == sum(line["bytes"] for line in manifest)


def test_the_same_request_makes_the_same_bytes_elsewhere(source: Path, tmp_path: Path) -> None:
    one, two = (make(source, tmp_path / name, layout="both") for name in ("one", "two"))
    assert one.name == two.name
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    differing = [str(path) for path in files if (one / path).read_bytes() != (two / path).read_bytes()]
    assert set(differing) <= {"dataset.json"}  # the time of its making is in it


def test_each_rejection_has_its_reason_and_nothing_is_lost(source: Path, tmp_path: Path) -> None:
    images, metadata = source / "bin-images", source / "metadata"
    ids = sorted(COUNTS)
    (images / f"{ids[0]}.jpg").unlink()
    (metadata / f"{ids[1]}.json").unlink()
    (metadata / f"{ids[2]}.json").write_text('{"EXPECTED_QUANTITY": ')
    (metadata / f"{ids[3]}.json").write_text('{"BIN_FCSKU_DATA": {}}')
    (metadata / f"{ids[4]}.json").write_text('{"EXPECTED_QUANTITY": -1}')
    (metadata / f"{ids[5]}.json").write_text('{"EXPECTED_QUANTITY": "3"}')
    (images / f"{ids[6]}.jpg").write_bytes(b"")
    (images / f"{ids[7]}.jpg").write_bytes((images / f"{ids[7]}.jpg").read_bytes()[:300])
    (images / f"{ids[8]}.jpg").write_bytes(b"\x89PNG\r\n\x1a\n")
    shutil.copy(images / f"{ids[9]}.jpg", images / f"{ids[10]}.jpg")
    listed = json.loads((source / "file_list.json").read_text())
    listed["2"] += ["data/metadata/../../x.json", f"data/metadata/{ids[20]}.json"]
    (source / "file_list.json").write_text(json.dumps(listed))

    dataset = make(source, tmp_path / "target")
    assert rejected(dataset) == {
        ids[0]: "missing_image",
        ids[1]: "missing_metadata",
        ids[2]: "bad_metadata",
        ids[3]: "bad_metadata",
        ids[4]: "bad_metadata",
        ids[5]: "bad_metadata",
        ids[6]: "empty",
        ids[7]: "undecodable",
        ids[8]: "not_jpeg",
        ids[10]: "duplicate",
        ids[20]: "listed_twice",
        "data/metadata/../../x.json": "bad_id",
    }
    reported = summary(dataset)
    assert reported["rejected"] == Counter(rejected(dataset).values())
    assert reported["images"] + sum(reported["rejected"].values()) == sum(map(len, listed.values()))


DEEP = "[" * 200_000
TWICE = '{"EXPECTED_QUANTITY": 1, "EXPECTED_QUANTITY": 2}'


@pytest.mark.parametrize("metadata", [DEEP, '{"EXPECTED_QUANTITY": ' + DEEP, TWICE])
def test_metadata_that_breaks_a_parser_is_bad_metadata(metadata: str, source: Path, tmp_path: Path) -> None:
    identity = sorted(COUNTS)[0]
    (source / "metadata" / f"{identity}.json").write_text(metadata)
    assert rejected(make(source, tmp_path / "target")) == {identity: "bad_metadata"}


def test_what_file_managers_leave_behind_is_no_bin(source: Path, tmp_path: Path) -> None:
    for name in ("._00000.jpg", ".DS_Store", "Thumbs.db", "__MACOSX/00000.jpg", "0/._1.jpg", "1/Thumbs.db"):
        for folder, suffix in (("bin-images", ".jpg"), ("metadata", ".json")):
            path = source / folder / name.replace(".jpg", suffix)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"\x00\x05\x16\x07")
    dataset = make(source, tmp_path / "target", file_list=None, counts=[0, 9])
    assert (summary(dataset)["images"], rejected(dataset)) == (len(COUNTS), {})


def test_the_metadata_wins_over_the_list_and_it_is_reported(source: Path, tmp_path: Path) -> None:
    identity = sorted(COUNTS)[0]
    (source / "metadata" / f"{identity}.json").write_text('{"EXPECTED_QUANTITY": 9}')
    dataset = make(source, tmp_path / "target")
    line = next(line for line in lines(dataset / "manifest.jsonl.gz") if line["id"] == identity)
    assert line["count"] == 9
    assert summary(dataset)["relabelled"] == 1


def test_padded_and_plain_ids_are_two_images(make_source: Callable[..., Path], tmp_path: Path) -> None:
    labels = {"01013": 2, "1013": 4, "1": 1, "10": 3} | all_splits(1, 2, 3, 4)
    dataset = make(make_source(labels), tmp_path / "target")
    assert {line["id"]: line["count"] for line in lines(dataset / "manifest.jsonl.gz")} == labels


def test_counts_select_from_all_metadata_there_is(make_source: Callable[..., Path], tmp_path: Path) -> None:
    others = all_splits(1, 2, 3)
    source = make_source({"7": 1, "70": 2, "00700": 3, "700123": 4, "99": 0} | others)
    (source / "metadata" / "70x.json").write_text('{"EXPECTED_QUANTITY": 2}')
    (source / "metadata" / "71.json").write_text('{"EXPECTED_QUANTITY": 2}')
    shutil.copy(source / "bin-images" / "7.jpg", source / "bin-images" / "72.jpg")
    dataset = make(source, tmp_path / "target", file_list=None, counts=[1, 3])
    found = [line["id"] for line in lines(dataset / "manifest.jsonl.gz")]
    assert found == sorted(["00700", "7", "70", *others])
    assert rejected(dataset) == {"70x": "bad_id", "71": "missing_image", "72": "missing_metadata"}
    assert summary(dataset)["not_selected"] == 2


def test_a_limit_takes_that_many_of_each_class_and_always_the_same(source: Path, tmp_path: Path) -> None:
    few = lines(make(source, tmp_path / "target", limit_per_class=13) / "manifest.jsonl.gz")
    more = lines(make(source, tmp_path / "target", limit_per_class=17) / "manifest.jsonl.gz")
    assert Counter(line["count"] for line in few) == {0: 13, 1: 13, 2: 13}
    assert Counter(line["count"] for line in more) == {0: 17, 1: 17, 2: 17}
    assert {line["id"] for line in few} < {line["id"] for line in more}


def test_an_image_is_on_the_same_side_whatever_is_requested(source: Path, tmp_path: Path) -> None:
    requests: list[dict[str, Any]] = [{}, {"limit_per_class": 14}, {"file_list": None, "counts": [1, 2]}]
    sides: dict[str, set[Any]] = {}
    for fields in requests:
        for line in lines(make(source, tmp_path / "target", **fields) / "manifest.jsonl.gz"):
            sides.setdefault(line["id"], set()).add(line["split"])
    assert all(len(found) == 1 for found in sides.values())


def test_a_smaller_size_is_stored_smaller(source: Path, tmp_path: Path) -> None:
    dataset = make(source, tmp_path / "target", stored={"short_side": 32, "quality": 80})
    assert {(line["width"], line["height"]) for line in lines(dataset / "manifest.jsonl.gz")} == {(38, 32)}


def test_a_request_that_selects_nothing_is_rejected(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"selects no usable image of .* \(nothing was found\)"):
        make(source, tmp_path / "target", file_list=None, counts=[500, 600])
    assert not (tmp_path / "target" / "datasets").exists()


def test_a_source_without_images_is_rejected_with_the_reasons(source: Path, tmp_path: Path) -> None:
    shutil.rmtree(source / "bin-images")
    with pytest.raises(BadRequest, match=r"\(missing_image: 60\)"):
        make(source, tmp_path / "target")


def test_seal_rejects_a_run_with_a_missing_record(source: Path, tmp_path: Path) -> None:
    run = begin(source, tmp_path)
    plan(run)
    arrange(run, list(remaining(run))[1:])
    with pytest.raises(NotReconciled, match=r"1 image\(s\) were planned but have no record.*: 00000$"):
        seal(run)
    assert not (tmp_path / run.sealed_key).exists()


def test_seal_rejects_a_record_that_was_not_planned(source: Path, tmp_path: Path) -> None:
    run = begin(source, tmp_path)
    plan(run)
    items = list(remaining(run))
    arrange(run, [*items, items[-1] | {"id": "99999"}])
    with pytest.raises(NotReconciled, match=r"1 image\(s\) have a record but were not planned.*: 99999$"):
        seal(run)


def test_seal_rejects_two_records_that_differ(source: Path, tmp_path: Path) -> None:
    run, items = arranged(source, tmp_path)
    arrange(run, [items[3] | {"count": 7}])
    with pytest.raises(NotReconciled, match=f"two records of image {items[3]['id']} differ"):
        seal(run)


def test_a_second_run_does_only_what_is_missing(source: Path, tmp_path: Path) -> None:
    run = begin(source, tmp_path)
    plan(run)
    items = list(remaining(run))
    for batch in (items[40:50], items[5:10]):
        arrange(run, batch)
    again = begin(source, tmp_path)
    assert plan(again) == {"images": 60, "to_do": 45}
    assert list(remaining(again)) == items[:5] + items[10:40] + items[50:]
    whole = make(source, tmp_path / "whole")
    resumed = tmp_path / make_dataset(again, quiet=True)["prefix"]
    assert (resumed / "manifest.jsonl.gz").read_bytes() == (whole / "manifest.jsonl.gz").read_bytes()


def test_a_sealed_dataset_is_never_touched(source: Path, tmp_path: Path) -> None:
    dataset = make(source, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}
    shutil.rmtree(tmp_path / "runs")
    (source / "bin-images" / "00000.jpg").unlink()
    assert make(source, tmp_path) == dataset
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*")} == before


def test_an_edited_list_makes_another_dataset(source: Path, tmp_path: Path) -> None:
    first = make(source, tmp_path)
    listed = json.loads((source / "file_list.json").read_text())
    (source / "file_list.json").write_text(json.dumps(listed | {"2": []}))
    second = make(source, tmp_path)
    assert second != first
    assert set(summary(second)["counts"]["train"]) == {"0", "1"}


def test_the_report_shows_counts_rejects_and_examples(source: Path, tmp_path: Path) -> None:
    (source / "bin-images" / "00000.jpg").write_bytes(b"")
    page = (make(source, tmp_path) / "dataset.html").read_text()
    for words in ("<b>59</b><span>images", "<b>1</b><span>rejected", "<td>empty</td><td>1</td>"):
        assert words in page
    for split in ("train", "validation", "test"):
        assert f"<h3>{split}: " in page
    for count in range(3):
        section = page.split(f"<h3>{count} object")[1].split("<h3>")[0]
        assert section.count("data:image/jpeg;base64,") == 8
    assert "http" not in page


def test_of_two_runs_that_seal_at_once_the_first_seal_counts(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = begin(source, tmp_path / "target"), begin(source, tmp_path / "target")
    plan(run)
    arrange(run, list(remaining(run)))
    sealed = tmp_path / "target" / run.sealed_key
    lines_of = DirectoryStore.write

    def meanwhile(store: DirectoryStore, key: str, data: bytes, *, content_type: str) -> None:
        lines_of(store, key, data, content_type=content_type)
        if key.endswith("dataset.html"):
            monkeypatch.undo()
            seal(other)
            sealed.write_text(sealed.read_text().replace('"created": "2', '"created": "1'))

    monkeypatch.setattr(DirectoryStore, "write", meanwhile)
    assert seal(run)["images"] == len(COUNTS)
    assert summary(sealed.parent)["created"].startswith("1")


def test_nothing_but_the_dataset_lies_in_its_folder(source: Path, tmp_path: Path) -> None:
    dataset = make(source, tmp_path / "target")
    named = {line["key"] for line in lines(dataset / "manifest.jsonl.gz")}
    found = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}
    assert found - named == {"dataset.json", "dataset.html", "manifest.jsonl.gz", "rejected.jsonl.gz"}
    assert not list((tmp_path / "target" / ".unfinished").iterdir())
