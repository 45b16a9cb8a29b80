"""A user's own sources: from class folders, a table or Ground Truth's manifest to a sealed dataset."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from bincount_sources.names import id_of
from data_prep.cli import make_dataset, rejected_lines
from data_prep.errors import BadRequest, LeakingSplit, NotTrainable
from data_prep.request import parse_request
from data_prep.run import Run
from data_prep.steps.open_run import open_run
from data_prep.storage.directory_store import DirectoryStore
from tests.unit.core.odd_sources import ODD_IMAGES, image

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "schemas"
GROUPS = 60
PER_GROUP = 3


def put(folder: Path, name: str, data: bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def photographs(folder: Path) -> list[tuple[str, int, str]]:
    """(name, count, group) of the images that it writes into the folder: every third a PNG, or WebP."""
    made: list[tuple[str, int, str]] = []
    for number in range(GROUPS * PER_GROUP):
        form = ("JPEG", "PNG", "WEBP")[number % 3]
        group = number // PER_GROUP
        name = f"hall {group % 4}/ü+#%20/shot {number}.{form.lower()}"
        put(folder, name, image(number, form=form))
        made.append((name, 1 + number % 2, f"bin {group}"))
    return made


def table(path: Path, rows: list[tuple[str, int, str]], *more: str) -> Path:
    lines = ["image,count,group", *(f'"{name}",{count},{group}' for name, count, group in rows), *more]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def begin(source: dict[str, Any], target: Path, **fields: Any) -> Run:
    return open_run(DirectoryStore(target), parse_request({"source": source} | fields, directories=True))


def make(source: dict[str, Any], target: Path, **fields: Any) -> Path:
    return target / make_dataset(begin(source, target, **fields), quiet=True)["prefix"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def reasons(dataset: Path) -> dict[str, str]:
    return {line["name"]: line["reason"] for line in lines(dataset / "rejected.jsonl.gz")}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def rows(photos: Path) -> list[tuple[str, int, str]]:
    return photographs(photos)


@pytest.mark.parametrize("layout", ["folders", "shards", "both"])
def test_a_table_makes_a_dataset_that_obeys_the_schemas(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path, layout: str
) -> None:
    labels = table(tmp_path / "labels.csv", rows)
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    dataset = make(source, tmp_path / "t", layout=layout)
    summary = json.loads((dataset / "dataset.json").read_text())
    jsonschema.validate(summary, json.loads((SCHEMAS / "dataset.schema.json").read_text()))
    manifest = lines(dataset / "manifest.jsonl.gz")
    schema = json.loads((SCHEMAS / "manifest.schema.json").read_text())
    for line in manifest:
        jsonschema.validate(line, schema)
    assert {(line["name"], line["count"], line["block"]) for line in manifest} == {
        (name, count, f"group:{group}") for name, count, group in rows
    }
    assert {line["id"] for line in manifest} == {id_of(name) for name, _, _ in rows}
    splits: dict[str, set[str]] = {}
    for line in manifest:
        splits.setdefault(line["block"], set()).add(line["split"])
    assert all(len(of_block) == 1 for of_block in splits.values())


def test_a_jpeg_keeps_its_bytes_and_others_become_jpegs(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    labels = table(tmp_path / "labels.csv", rows)
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    dataset = make(source, tmp_path / "t")
    for line in lines(dataset / "manifest.jsonl.gz"):
        came, kept = (photos / line["name"]).read_bytes(), (dataset / line["key"]).read_bytes()
        with Image.open(io.BytesIO(kept)) as stored, Image.open(io.BytesIO(came)) as original:
            assert (stored.format, stored.size) == ("JPEG", original.size)
            assert (kept == came) is (original.format == "JPEG")
            difference = np.asarray(stored, dtype=float) - np.asarray(original.convert("RGB"), dtype=float)
            assert np.abs(difference).mean() < 10


def test_a_stored_size_is_that_of_every_format(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    labels = table(tmp_path / "labels.csv", rows)
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    dataset = make(source, tmp_path / "t", stored={"short_side": 32, "square": True})
    sizes = {Image.open(path).size for path in dataset.glob("*/*/*.jpg")}
    assert sizes == {(32, 32)}


def test_class_folders_make_the_same_dataset_in_kind(photos: Path, tmp_path: Path) -> None:
    for number in range(GROUPS * PER_GROUP):
        put(photos, f"{1 + number % 2}/pallet {number // PER_GROUP}/{number}.jpg", image(number))
    put(photos, "2/notes.txt", b"none")
    put(photos, "misc/x.jpg", image(9_000))
    put(photos, "2/._a.jpg", b"litter")
    dataset = make({"directory": str(photos), "kind": "class-folders"}, tmp_path / "t")
    assert len(lines(dataset / "manifest.jsonl.gz")) == GROUPS * PER_GROUP
    assert reasons(dataset) == {"2/notes.txt": "not_image", "misc/x.jpg": "bad_class"}


def test_another_image_in_a_class_folder_is_another_dataset(photos: Path, tmp_path: Path) -> None:
    for number in range(GROUPS):
        put(photos, f"{1 + number % 2}/pallet {number}/{number}.jpg", image(number))
    source = {"directory": str(photos), "kind": "class-folders"}
    first = begin(source, tmp_path / "t").dataset_id
    assert begin(source, tmp_path / "t").dataset_id == first
    put(photos, "1/another.jpg", image(9_000))
    assert begin(source, tmp_path / "t").dataset_id != first


def test_a_target_inside_class_folders_is_an_error(photos: Path) -> None:
    put(photos, "1/a.jpg", image(1))
    with pytest.raises(BadRequest, match="inside the source"):
        begin({"directory": str(photos), "kind": "class-folders"}, photos / "data")


def test_ground_truths_manifest_makes_a_dataset(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    labels = tmp_path / "output.manifest"
    with labels.open("w") as file:
        for name, count, group in rows:
            metadata = {"type": "groundtruth/image-classification", "class-name": str(count)}
            line = {"source-ref": f"s3://hall/{name}", "n": 0, "n-metadata": metadata, "group": group}
            file.write(json.dumps(line) + "\n")
    source = {"directory": str(photos), "kind": "ground-truth", "labels": str(labels)}
    dataset = make(source, tmp_path / "t")
    manifest = lines(dataset / "manifest.jsonl.gz")
    assert {(line["name"], line["count"]) for line in manifest} == {(n, c) for n, c, _ in rows}


def test_odd_images_are_taken_or_rejected_each_with_its_reason(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    more: list[tuple[str, int, str]] = []
    for name, (data, _) in ODD_IMAGES.items():
        put(photos, f"odd/{name}.jpg", data)
        more.append((f"odd/{name}.jpg", 1, "bin 0"))
    labels = table(tmp_path / "labels.csv", [*rows, *more, ("gone.jpg", 1, "bin 0")])
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    expected = {f"odd/{name}.jpg": reason for name, (_, reason) in ODD_IMAGES.items() if reason}
    dataset = make(source, tmp_path / "t")
    assert reasons(dataset) == expected | {"gone.jpg": "missing_image"}


def test_the_same_bytes_twice_are_one_image_and_no_leak(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    for group in range(GROUPS):
        put(photos, f"copy {group}.jpg", (photos / rows[0][0]).read_bytes())
    copies = [(f"copy {group}.jpg", 1, f"bin {group}") for group in range(GROUPS)]
    labels = table(tmp_path / "labels.csv", [*rows, *copies])
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    dataset = make(source, tmp_path / "t")
    assert list(reasons(dataset).values()) == ["duplicate"] * GROUPS


def saved_again(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as original:
        brighter = ImageEnhance.Brightness(original.convert("RGB")).enhance(1.1)
    again = io.BytesIO()
    brighter.resize((120, 100)).save(again, "JPEG", quality=60)
    return again.getvalue()


@pytest.mark.parametrize("layout", ["folders", "shards"])
def test_one_photograph_saved_again_on_two_sides_is_an_error(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path, layout: str
) -> None:
    for group in range(GROUPS):
        put(photos, f"again {group}.jpg", saved_again(image(0)) + bytes(group))
    copies = [(f"again {group}.jpg", 1, f"bin {group}") for group in range(GROUPS)]
    labels = table(tmp_path / "labels.csv", [*rows, *copies])
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    with pytest.raises(LeakingSplit, match="one photograph or nearly") as error:
        make(source, tmp_path / "t", layout=layout)
    (listed,) = (tmp_path / "t").rglob("leaks.jsonl.gz")
    assert str(listed) in str(error.value) and "again " in str(error.value)
    assert not list((tmp_path / "t").rglob("dataset.json"))
    together = table(tmp_path / "again.csv", [*rows, *((name, 1, "bin 0") for name, _, _ in copies)])
    dataset = make(source | {"labels": str(together)}, tmp_path / "t", layout=layout)
    assert len(lines(dataset / "manifest.jsonl.gz")) == len(rows) + GROUPS


def test_near_duplicates_may_be_allowed_with_a_warning(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    for group in range(GROUPS):
        put(photos, f"again {group}.jpg", saved_again(image(0)) + bytes(group))
    copies = [(f"again {group}.jpg", 1, f"bin {group}") for group in range(GROUPS)]
    labels = table(tmp_path / "labels.csv", [*rows, *copies])
    source = {"directory": str(photos), "kind": "table", "labels": str(labels), "near_duplicates": "allow"}
    dataset = make(source, tmp_path / "t")
    summary = json.loads((dataset / "dataset.json").read_text())
    jsonschema.validate(summary, json.loads((SCHEMAS / "dataset.schema.json").read_text()))
    assert any("near-duplicates are in two splits" in warning for warning in summary["warnings"])


def test_a_thousand_wrong_rows_make_a_summary_of_a_few_lines(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    wrong = [f"x{number}.jpg,many,bin 1" for number in range(900)]
    gone = [f"y{number}.jpg,1,bin 1" for number in range(100)]
    labels = table(tmp_path / "labels.csv", rows, *wrong, *gone)
    run = begin({"directory": str(photos), "kind": "table", "labels": str(labels)}, tmp_path / "t")
    assert make_dataset(run, quiet=True)["rejected"] == 1000
    assert len(reasons(tmp_path / "t" / run.prefix)) == 1000
    shown = rejected_lines(run)
    assert [line.partition(" (")[0] for line in shown] == ["bad_count: 900", "missing_image: 100"]
    assert all(len(line) < 500 for line in shown)


def test_labels_that_find_no_image_say_where_they_look(photos: Path, tmp_path: Path) -> None:
    put(photos, "a/1.jpg", image(1))
    labels = table(tmp_path / "labels.csv", [(f"{number}.jpg", 1, "") for number in range(9)])
    with pytest.raises(BadRequest, match="9 rows find no image, the first is .*a name is a path below"):
        make({"directory": str(photos), "kind": "table", "labels": str(labels)}, tmp_path / "t")


def test_too_few_groups_say_what_a_block_is(photos: Path, tmp_path: Path) -> None:
    for number in range(20):
        put(photos, f"{number}.jpg", image(number))
    labels = table(tmp_path / "labels.csv", [(f"{n}.jpg", n % 2, "one bin") for n in range(20)])
    with pytest.raises(NotTrainable, match="a group, else an hour, else 100 neighbouring numbers"):
        make({"directory": str(photos), "kind": "table", "labels": str(labels)}, tmp_path / "t")


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ({"kind": "table"}, "names no labels"),
        ({"kind": "class-folders", "labels": "x.csv"}, "takes no labels"),
        ({"labels": "x.csv"}, "takes no labels"),
        ({"kind": "table", "labels": "x.csv", "label_attribute": "n"}, "belongs to the kind ground-truth"),
        ({"kind": "stars"}, "give public, class-folders, table or ground-truth"),
        ({"kind": "table", "labels": "no-such.csv"}, "nothing to read at no-such.csv"),
    ],
)
def test_a_wrong_source_says_what_to_give(source: dict[str, Any], part: str, tmp_path: Path) -> None:
    counts = {} if source.get("kind") else {"counts": [0, 5]}
    with pytest.raises(BadRequest, match=part):
        begin({"directory": str(tmp_path)} | source, tmp_path / "t", **counts)


def test_an_image_that_macos_spelled_is_found_by_its_usual_name(
    photos: Path, rows: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    put(photos, "u\u0308.jpg", image(5_000))
    labels = table(tmp_path / "labels.csv", [*rows, ("ü.jpg", 1, "bin 0")])
    dataset = make({"directory": str(photos), "kind": "table", "labels": str(labels)}, tmp_path / "t")
    assert "u\u0308.jpg" in {line["name"] for line in lines(dataset / "manifest.jsonl.gz")}
