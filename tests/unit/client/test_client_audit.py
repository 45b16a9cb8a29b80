"""`bincount audit`: wrong labels come first, and a person's decisions become a dataset and can be undone."""

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from bincount_sources.names import id_of
from data_prep.cli import main as prepare
from demo.bins.own import draw
from tests.browser.look import complaints, look, play

ROOT = Path(__file__).resolve().parents[3]
WRONG = (10, 77, 150)
"""Rows of the table whose label is wrong."""
HOSTILE = 'x<!--<b id="k">/</script><script>document.title=1</script><img src=x onerror=alert(1)>.png'


class Audited(NamedTuple):
    """`truth` are true counts by id of the images with a wrong label, `labels` what the table says of all."""

    out: Path
    page: Path
    dataset: Path
    truth: dict[str, int]
    labels: dict[str, int]
    arguments: list[str]


def bincount(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bincount", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **variables}
    )


def audit(dataset: Path, out: Path, *options: str) -> dict[str, Any]:
    done = bincount("audit", str(dataset), "--out", str(out), "--show", "8", *options, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    return json.loads((out / "audit.json").read_text())


def manifest(dataset: Path) -> dict[str, dict[str, Any]]:
    packed = gzip.decompress((dataset / "manifest.jsonl.gz").read_bytes())
    return {line["id"]: line for line in map(json.loads, packed.splitlines())}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Drawn bins under any names, three of them with a wrong label, as a sealed dataset and its audit."""
    place = tmp_path_factory.mktemp("audit")
    draw(out=place, images=240, seed=5, counts=range(1, 4))
    table = place / "labels.csv"
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    hostile = place / "photos" / HOSTILE
    hostile.parent.mkdir(parents=True)
    (place / "photos" / rows[WRONG[0]]["image"]).rename(hostile)
    rows[WRONG[0]]["image"] = HOSTILE
    truth = {id_of(rows[place_]["image"]): int(rows[place_]["count"]) for place_ in WRONG}
    for one in WRONG:
        rows[one]["count"] = str(int(rows[one]["count"]) % 3 + 1)
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["image", "count", "group"])
        writer.writeheader()
        writer.writerows(rows)
    arguments = ["--source", str(place / "photos"), "--labels", str(table), "--target", str(place), "--quiet"]
    assert prepare(arguments) == 0
    (dataset,) = (place / "datasets").iterdir()
    labels = {id_of(row["image"]): int(row["count"]) for row in rows}
    out = place / "audit"
    audit(dataset, out)
    return Audited(out, out / "audit.html", dataset, truth, labels, arguments)


def test_wrong_labels_are_the_first_to_look_at(audited: Audited) -> None:
    found = json.loads((audited.out / "audit.json").read_text())
    assert {one["id"] for one in found["shown"][: len(WRONG)]} == audited.truth.keys()
    assert all(one["issue"] for one in found["shown"][: len(WRONG)])
    assert {one["id"]: int(one["guess"]) for one in found["shown"][: len(WRONG)]} == audited.truth


def test_the_page_shows_nothing_but_itself_whatever_names_hold(audited: Audited, tmp_path: Path) -> None:
    views = look(audited.page, tmp_path)
    assert not complaints(audited.page, views)
    assert {view.title for view in views.values()} == {"Label audit"}
    seen = play(audited.page, tmp_path, *[{"read": "#name"}, {"press": "ArrowRight"}] * 3)
    assert HOSTILE in seen.read and not seen.console


def test_decisions_by_the_keyboard_make_a_dataset_and_are_undone(audited: Audited, tmp_path: Path) -> None:
    shown = [one["id"] for one in json.loads((audited.out / "audit.json").read_text())["shown"]]
    correct = [step for one in shown[:3] for step in ({"press": str(audited.truth[one])}, {"press": "Enter"})]
    seen = play(
        audited.page, tmp_path,
        *correct,
        {"press": "x"}, {"press": "x"}, {"press": "u"}, {"press": "k"},
        {"press": "d"}, {"read": "#said"},
        {"fill": ["#who", "Ana <b>"]}, {"press": "Enter"},
        {"reopen": True}, {"read": "#progress"},
        {"press": "ArrowLeft"}, {"read": "#decision"},
        {"press": "u"}, {"press": "k"},
        {"download": "d"},
    )  # fmt: skip
    assert not seen.console
    assert seen.read[0].startswith("Give your name first")
    assert seen.read[1] == "5 of 8 looked at: 1 kept, 3 corrected, 1 excluded"
    (file,) = map(Path, seen.downloads)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    schema = json.loads((ROOT / "docs" / "schemas" / "correction.schema.json").read_text())
    for row in rows:
        jsonschema.validate(row, schema)
    assert [(row["id"], row["action"]) for row in rows] == [
        *((one, "correct") for one in shown[:3]), (shown[3], "exclude"), (shown[4], "keep"),
    ]  # fmt: skip

    before = manifest(audited.dataset)
    assert prepare([*audited.arguments, "--corrections", str(file)]) == 0
    (corrected,) = set((audited.dataset.parent).iterdir()) - {audited.dataset}
    after = manifest(corrected)
    assert {one: after[one]["count"] for one in shown[:3]} == audited.truth
    assert {one: after[one]["old_count"] for one in shown[:3]} == {
        one: audited.labels[one] for one in shown[:3]
    }
    assert before.keys() - after.keys() == {shown[3]}
    assert all(after[one]["split"] == before[one]["split"] for one in after)

    assert prepare([*audited.arguments[:-3], "--target", str(tmp_path / "again"), "--quiet"]) == 0
    (again,) = (tmp_path / "again" / "datasets").iterdir()
    assert again.name == audited.dataset.name
    assert (again / "manifest.jsonl.gz").read_bytes() == (audited.dataset / "manifest.jsonl.gz").read_bytes()

    # The corrected dataset is audited with the earlier file: what was decided is not shown again, and stays.
    shutil.copytree(audited.out / "features", tmp_path / "audit" / "features")
    found = audit(corrected, tmp_path / "audit", "--corrections", str(file))
    assert not {one["id"] for one in found["shown"]} & {row["id"] for row in rows}
    seen = play(
        tmp_path / "audit" / "audit.html", tmp_path / "later",
        {"fill": ["#who", "Bo"]}, {"press": "Enter"}, {"press": "k"}, {"download": "d"},
    )  # fmt: skip
    later = Path(seen.downloads[0]).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in later[:-1]] == rows
    assert json.loads(later[-1])["who"] == "Bo"


def test_an_earlier_file_is_gone_on_with_in_another_browser(audited: Audited, tmp_path: Path) -> None:
    page = audited.page
    first = play(
        page, tmp_path,
        {"fill": ["#who", "Ana"]}, {"press": "Enter"}, {"press": "x"}, {"press": "k"}, {"download": "d"},
    )  # fmt: skip
    seen = play(
        page, tmp_path / "other",
        {"file": ["#earlier", first.downloads[0]]}, {"see": ["#said", "2 rows"]},
        {"read": "#progress"}, {"press": "ArrowLeft"}, {"read": "#decision"},
    )  # fmt: skip
    assert seen.read == ["2 of 8 looked at: 1 kept, 0 corrected, 1 excluded", "kept"]


def test_a_folder_that_is_no_sealed_dataset_is_named(tmp_path: Path) -> None:
    done = bincount("audit", str(tmp_path))
    assert done.returncode == 1 and "holds no dataset.json" in done.stderr


def without(packages: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program on a machine that has none of the packages."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({packages!r}))\n"
        f"sys.argv = ['bincount', *{arguments!r}]\nfrom bincount.__main__ import run\nrun()"
    )
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_without_the_extra_the_command_names_it() -> None:
    done = without(["cleanlab", "torch"], "audit", "x")
    assert done.returncode == 1
    assert "torch, cleanlab are needed" in done.stderr and "pip install 'bincount[audit]'" in done.stderr


def test_the_plain_client_needs_nothing_of_the_extra() -> None:
    heavy = ["numpy", "torch", "timm", "sklearn", "cleanlab", "pandas", "simplejpeg"]
    assert without(heavy, "audit", "--help").returncode == 0
