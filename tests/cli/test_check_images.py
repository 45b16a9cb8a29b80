"""`bincount check-images` says what data preparation then does, reason by reason, and writes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arro3.core import DataType

from tests.unit.core.odd_sources import ODD_IMAGES, image
from tests.unit.core.parquet_files import column, parquet
from tests.unit.data_prep.test_own_sources import (
    GROUPS,
    lines,
    make,
    photographs,
    put,
    saved_again,
    table,
)

ROOT = Path(__file__).resolve().parents[2]


def check(*arguments: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bincount", "check-images", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{ROOT}/client:{ROOT}/core"},
        capture_output=True,
        text=True,
        check=False,
    )


def odd_folder(photos: Path) -> Path:
    """Photographs with a table that has every kind of odd image and row."""
    rows = photographs(photos)
    for name, (data, _) in ODD_IMAGES.items():
        put(photos, f"odd/{name}.jpg", data)
        rows.append((f"odd/{name}.jpg", 1, "bin 0"))
    put(photos, "copy.jpg", (photos / rows[0][0]).read_bytes())
    put(photos, "u\u0308.jpg", image(7_000))
    rows += [("copy.jpg", 1, "bin 9"), ("ü.jpg", 1, "bin 0"), ("gone.jpg", 1, ""), (rows[0][0], 1, "")]
    return table(
        photos.parent / "labels.csv", rows, "a.jpg,many,", "../a.jpg,1,", "one", "c.jpg,1,", "c.jpg,2,"
    )


def by_name(rejected: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((line["name"], line["reason"]) for line in rejected)


def test_it_says_of_a_table_what_data_preparation_does(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    labels = odd_folder(photos)
    done = check(photos, "--labels", labels, "--json", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    said = json.loads(done.stdout)
    source = {"directory": str(photos), "kind": "table", "labels": str(labels)}
    dataset = make(source, tmp_path / "t")
    assert by_name(said["rejected"]) == by_name(lines(dataset / "rejected.jsonl.gz"))
    summary = json.loads((dataset / "dataset.json").read_text())
    assert (said["counts"], said["reasons"]) == (summary["counts"], summary["rejected"])
    assert len(said["reasons"]) >= 9


def test_it_says_of_class_folders_what_data_preparation_does(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for number in range(2 * GROUPS):
        put(photos, f"{1 + number % 2}/{number:04d}00.jpg", image(number))
    for name, (data, _) in ODD_IMAGES.items():
        put(photos, f"1/{name}.png", data)
    for name in ("misc/a.jpg", "a.jpg", "1/notes.txt", "1/.DS_Store", "1/bad\udcff.jpg"):
        put(photos, name, image(8_000))
    done = check(photos, "--json", cwd=tmp_path)
    said = json.loads(done.stdout)
    assert done.returncode == 4, done.stderr
    dataset = make({"directory": str(photos), "kind": "class-folders"}, tmp_path / "t")
    listed = lines(dataset / "rejected.jsonl.gz")
    assert sorted(line["reason"] for line in said["rejected"]) == sorted(line["reason"] for line in listed)
    assert said["counts"] == json.loads((dataset / "dataset.json").read_text())["counts"]
    assert {"bad_class", "bad_name", "not_image", "undecodable", "empty"} <= said["reasons"].keys()


def test_labels_in_parquet_give_what_the_csv_of_them_gives(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    rows = photographs(photos)
    (tmp_path / "labels.parquet").write_bytes(
        parquet(
            image=column([name for name, _, _ in rows], DataType.utf8()),
            count=column([count for _, count, _ in rows], DataType.int64()),
            group=column([group for _, _, group in rows], DataType.utf8()),
        )
    )
    table(tmp_path / "labels.csv", rows)
    of_csv, of_parquet = (
        check(photos, "--labels", tmp_path / f"labels.{kind}", "--json", cwd=tmp_path)
        for kind in ("csv", "parquet")
    )
    assert (of_parquet.returncode, of_parquet.stdout) == (0, of_csv.stdout)


def test_a_clean_folder_is_exit_0_and_nothing_is_written(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    labels = table(tmp_path / "labels.csv", photographs(photos))
    before = sorted(tmp_path.rglob("*"))
    done = check(photos, "--labels", labels, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "180 of 180 images would be taken, from 60 blocks" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_a_leak_is_exit_1_and_names_the_pairs(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    rows = photographs(photos)
    for group in range(GROUPS):
        put(photos, f"again {group}.jpg", saved_again(image(0)) + bytes(group))
    rows += [(f"again {group}.jpg", 1, f"bin {group}") for group in range(GROUPS)]
    done = check(photos, "--labels", table(tmp_path / "labels.csv", rows), cwd=tmp_path)
    assert done.returncode == 1
    assert "near-duplicates in two splits" in done.stdout and "train again " in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("labels.csv", b"file,n\n", "no column image and count"),
        ("labels.parquet", b"PAR1", "Parquet file is cut short"),
        ("labels.txt", b"", "end with none of"),
        ("no-such.csv", None, "No such file"),
    ],
)
def test_labels_that_cannot_be_read_are_one_line(
    name: str, content: bytes | None, part: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = check(".", "--labels", name, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert part in done.stderr
