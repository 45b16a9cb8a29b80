"""What was labelled in production, beside a home source: sides, copies, weights, and datasets without it."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bincount_sources.split import split_of_block
from data_prep.cli import main, make_dataset
from data_prep.errors import BadRequest
from data_prep.request import dataset_id, parse_request
from data_prep.run import Run
from data_prep.steps.open_run import open_run
from data_prep.storage.directory_store import DirectoryStore
from tests.unit.core.odd_sources import image
from tests.unit.data_prep.conftest import all_splits, begin, begin_by_counts
from tests.unit.data_prep.test_own_sources import saved_again

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
Rows = list[tuple[str, int, str]]
"""(request id, count, hour) of labelled images."""


def hours_of(split: str, wanted: int) -> list[str]:
    """Times in different hours whose images are in the split."""
    first = datetime(2026, 11, 1, 0, 20, 1, tzinfo=UTC)
    times = [first + timedelta(hours=hour) for hour in range(24 * 28)]
    blocks = (f"hour:{int(time.timestamp()) // 3600}" for time in times)
    sides = (split_of_block(block, validation_share=0.2) for block in blocks)
    return [time.isoformat() for time, side in zip(times, sides, strict=True) if side == split][:wanted]


TRAIN, VALIDATION, TEST = (hours_of(split, 4) for split in ("train", "validation", "test"))


def labelled(folder: Path, rows: Rows, *, images: dict[str, bytes] | None = None) -> dict[str, Any]:
    """A field source in a folder, as `bincount labelled` writes it; the request's field."""
    given = images or {}
    folder.mkdir(exist_ok=True)
    for number, (name, _, _) in enumerate(rows):
        path = folder / name / "image.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(given.get(name, image(7_000 + number)))
    lines = ["image,count,taken_at", *(f"{name}/image.jpg,{count},{at}" for name, count, at in rows)]
    (folder / "labelled.csv").write_text("\n".join(lines) + "\n")
    return {"directory": str(folder), "labels": str(folder / "labelled.csv")}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


class Made:
    """A sealed dataset: its manifest by name (home: by id), what was rejected, and dataset.json."""

    def __init__(self, run: Run, target: Path) -> None:
        make_dataset(run, quiet=True)
        folder = target / run.prefix
        self.about: dict[str, Any] = json.loads((folder / "dataset.json").read_text())
        schema = json.loads((SCHEMAS / "dataset.schema.json").read_text())
        jsonschema.validate(self.about, schema)
        found = lines(folder / "manifest.jsonl.gz")
        assert [line["id"] for line in found] == sorted(line["id"] for line in found)
        self.lines = {line.get("name", line["id"]).removesuffix("/image.jpg"): line for line in found}
        for line in found:
            jsonschema.validate(line, json.loads((SCHEMAS / "manifest.schema.json").read_text()))
        rejected = lines(folder / "rejected.jsonl.gz")
        self.rejected = {
            line.get("name", line["id"]).removesuffix("/image.jpg"): line["reason"] for line in rejected
        }
        self.page = (folder / "dataset.html").read_text()


@pytest.fixture
def home(make_source: Callable[..., Path]) -> Path:
    return make_source(all_splits(1, 2, 3, 3))


Mix = Callable[..., Made]


@pytest.fixture
def mix(home: Path, tmp_path: Path) -> Mix:
    """The dataset of home and of labelled rows."""

    def make(rows: Rows, *, images: dict[str, bytes] | None = None, weight: float = 3, **fields: Any) -> Made:
        field = labelled(tmp_path / "field", rows, images=images) | {"weight": weight}
        return Made(begin(home, tmp_path / "t", field=field, **fields), tmp_path / "t")

    return make


def test_a_request_without_a_field_makes_the_ids_of_before() -> None:
    public = {"source": {"bucket": "aft-vbi-pds", "unsigned": True}, "counts": [0, 5]}
    own = {"source": {"bucket": "hall-7x", "kind": "table", "labels": "s3://hall-7x/l.csv"}}
    written = parse_request(public).model_dump(mode="json")
    assert dataset_id(parse_request(public), file_list_sha256="0" * 64) == "bins-1663d7c6f864"
    assert dataset_id(parse_request(own), file_list_sha256="0" * 64) == "bins-d335054c38ea"
    assert "field" not in written
    assert parse_request({**public, "field": None}) == parse_request(public)


def test_a_dataset_without_a_field_is_the_one_of_before(home: Path, tmp_path: Path, mix: Mix) -> None:
    alone = Made(begin(home, tmp_path / "t"), tmp_path / "t")
    assert "field" not in alone.about and "production" not in alone.page
    mixed = mix([("a", 1, TRAIN[0])])
    assert {name: line for name, line in mixed.lines.items() if name != "a"} == alone.lines
    assert alone.about["dataset_id"] != mixed.about["dataset_id"]
    known = {"id", "count", "split", "key", "bytes", "sha256", "width", "height"}
    assert all(line.keys() == known for line in alone.lines.values())


@pytest.mark.parametrize("layout", ["folders", "shards"])
def test_images_of_production_stand_beside_home_and_say_so(mix: Mix, layout: str) -> None:
    rows = [("a", 1, TRAIN[0]), ("b", 2, VALIDATION[0]), ("c", 3, TEST[0])]
    made = mix(rows, layout=layout)
    assert len(made.lines) == 12 + 3
    assert [made.lines[name]["split"] for name in "abc"] == ["train", "validation", "test"]
    assert {name for name, line in made.lines.items() if line.get("source") == "field"} == set("abc")
    assert made.about["field"]["counts"] == {"train": {"1": 1}, "validation": {"2": 1}, "test": {"3": 1}}
    assert "1 in train, 1 in validation, 1 in test" in made.page


def test_only_what_is_trained_on_and_counted_by_people_weighs(home: Path, mix: Mix, tmp_path: Path) -> None:
    corrected = {"id": "00052", "action": "correct", "old_count": 3, "new_count": 2}
    path = tmp_path / "corrections.jsonl"
    path.write_text(json.dumps(corrected | {"who": "Ana", "when": "2026-11-28T10:00:00Z"}))
    rows = [("a", 1, TRAIN[0]), ("c", 3, TEST[0])]
    made = mix(rows, weight=4.5, corrections=str(path))
    weights = {name: line["weight"] for name, line in made.lines.items() if "weight" in line}
    assert weights == {"a": 4.5, "00052": 4.5}
    assert made.about["request"]["field"]["weight"] == 4.5
    assert not [line for line in mix(rows, weight=1).lines.values() if "weight" in line]


@pytest.mark.parametrize("weight", [0.5, 10.5, "much"])
def test_a_weight_has_bounds(weight: object) -> None:
    field = {"bucket": "stage", "labels": "s3://stage/l.csv", "weight": weight}
    with pytest.raises(BadRequest, match=r"field\.weight: .*give 1 to 10"):
        parse_request({"source": {"bucket": "aft-vbi-pds"}, "counts": [0, 5], "field": field})


def test_later_and_changed_labels_move_no_image_to_another_side(mix: Mix) -> None:
    early = [("a", 1, TRAIN[0]), ("b", 2, VALIDATION[0]), ("c", 3, TEST[0])]
    before = mix(early).lines
    later = [(name, 1 + count % 3, at) for name, count, at in early] + [("d", 1, TEST[1])]
    after = mix(later).lines
    assert {name: after[name]["split"] for name in before} == {n: before[n]["split"] for n in before}
    assert {name: after[name]["id"] for name in "abc"} == {name: before[name]["id"] for name in "abc"}
    assert [after[name]["count"] for name in "abc"] == [2, 3, 1]


def test_a_copy_of_a_home_image_is_left_out_whatever_its_side(home: Path, mix: Mix) -> None:
    copies = {
        "a": (home / "bin-images" / "00050.jpg").read_bytes(),  # in train at home
        "b": (home / "bin-images" / "00450.jpg").read_bytes(),  # in test at home
    }
    made = mix([("a", 3, TEST[0]), ("b", 3, TRAIN[0]), ("c", 1, TRAIN[0])], images=copies)
    assert made.rejected == {"a": "duplicate", "b": "duplicate"}
    assert (made.lines["00050"]["split"], made.lines["00050"]["count"]) == ("train", 1)


def test_of_copies_in_production_the_one_that_trains_stays(mix: Mix) -> None:
    """Else a model would be tested on what an earlier one was trained on."""
    same, still = image(8_000), image(8_001)
    images = {"a": same, "b": same, "c": still, "d": saved_again(still), "e": saved_again(still) + b"0"}
    rows = [("a", 1, TEST[0]), ("b", 1, TRAIN[0]), ("c", 2, TRAIN[1]), ("d", 2, TEST[1]), ("e", 2, TRAIN[2])]
    for layout in ("folders", "shards"):
        made = mix(rows, images=images, layout=layout)
        assert made.rejected == {"a": "duplicate", "d": "near_duplicate"}
        assert {"b", "c", "e"} <= made.lines.keys()


def test_of_copies_on_one_side_the_earliest_stays(mix: Mix) -> None:
    same = image(8_000)
    rows = [("z", 1, TRAIN[0]), ("b", 2, TRAIN[1])]
    assert mix(rows, images={"z": same, "b": same}).rejected == {"b": "duplicate"}


def test_labels_whose_images_are_gone_are_left_out(mix: Mix, tmp_path: Path) -> None:
    rows = [("a", 1, TRAIN[0]), ("b", 1, TRAIN[0])]
    field = labelled(tmp_path / "field", rows)
    (tmp_path / "field" / "b" / "image.jpg").unlink()
    run = begin(tmp_path / "source", tmp_path / "t", field=field)
    assert Made(run, tmp_path / "t").rejected == {"b": "missing_image"}


def test_labels_that_bring_no_image_stop_before_training(mix: Mix) -> None:
    with pytest.raises(BadRequest, match=r"no image of production .* \(the table has no row\)"):
        mix([])
    with pytest.raises(BadRequest, match="show 7 objects and are left out: the dataset has 1 to 3"):
        mix([("a", 7, TRAIN[0])])


def test_counts_that_home_has_not_are_left_out_and_named(mix: Mix) -> None:
    made = mix([("a", 50, TRAIN[0]), ("b", 2, TRAIN[0])])
    assert "a" not in made.lines and made.about["not_selected"] == 1
    assert any("1 image(s) of production show 50 objects" in warning for warning in made.about["warnings"])
    assert any("none is in test" in warning for warning in made.about["warnings"])


def test_a_limit_takes_nothing_of_production_away(home: Path, tmp_path: Path) -> None:
    field = labelled(tmp_path / "field", [(f"x{n}", 1, TRAIN[n]) for n in range(4)])
    made = Made(begin_by_counts(home, tmp_path / "t", field=field, limit_per_class=3), tmp_path / "t")
    assert sum(line.get("source") == "field" for line in made.lines.values()) == 4


def test_the_command_line_takes_a_field(home: Path, tmp_path: Path, capsys: Any) -> None:
    field = labelled(tmp_path / "field", [("a", 1, TRAIN[0])])
    words = ["--source", str(home), "--target", str(tmp_path / "t"), "--counts", "0-9", "--quiet"]
    assert main([*words, "--field", field["directory"]]) == 1
    assert "go together" in capsys.readouterr().err
    assert main([*words, "--field", field["directory"], "--field-labels", field["labels"]]) == 0
    assert "has 13 images" in capsys.readouterr().out


def test_home_may_be_own_images_of_the_same_names(tmp_path: Path) -> None:
    own: Rows = [(f"bin {n}", 1 + n % 2, TRAIN[n % 4] if n < 9 else "") for n in range(60)]
    source = labelled(tmp_path / "home", own, images={f"bin {n}": image(n) for n in range(60)})
    rows: Rows = [("bin 1", 2, TRAIN[0]), ("bin 2", 2, TEST[0])]
    field = labelled(tmp_path / "field", rows, images={"bin 2": saved_again(image(3))})
    request = {"source": source | {"kind": "table"}, "field": field, "validation_share": 0.5}
    run = open_run(DirectoryStore(tmp_path / "t"), parse_request(request, directories=True))
    make_dataset(run, quiet=True)
    manifest = lines(tmp_path / "t" / run.prefix / "manifest.jsonl.gz")
    ours = [line for line in manifest if line.get("source") == "field"]
    assert [line["name"] for line in ours] == ["bin 1/image.jpg"]
    assert len({line["id"] for line in manifest}) == len(manifest) == 61
