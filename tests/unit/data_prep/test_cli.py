"""`python -m data_prep`: exit code 0 only on a sealed dataset, one clear line otherwise."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.unit.data_prep.conftest import all_splits

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "dataset.md").read_text()
COMMANDS = re.findall(r"^    (\.venv/bin/python -m data_prep .*)$", PAGE, re.MULTILINE)


def data_prep(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "data_prep", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_a_folder_becomes_a_sealed_dataset_with_progress(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source({str(number * 40): number % 3 for number in range(150)})
    done = data_prep("--source", source, "--target", tmp_path / "t", "--file-list", source / "file_list.json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "has 150 images; 0 were rejected" in done.stdout
    assert "arrange: 100%" in done.stderr
    assert len(list((tmp_path / "t" / "datasets").glob("*/dataset.json"))) == 1
    again = data_prep(
        "--source", source, "--target", tmp_path / "t", "--file-list", source / "file_list.json"
    )
    assert (again.returncode, again.stdout) == (0, done.stdout)


def test_images_are_stored_as_small_squares_where_asked(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source({str(number * 80): number % 3 for number in range(80)})
    done = data_prep(
        "--source", source, "--target", tmp_path, "--file-list", source / "file_list.json",
        "--short-side", 32, "--square",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = next((tmp_path / "datasets").iterdir())
    assert json.loads((folder / "dataset.json").read_text())["request"]["stored"] == {
        "short_side": 32, "quality": 90, "square": True
    }  # fmt: skip
    assert {Image.open(path).size for path in folder.glob("*/*/*.jpg")} == {(32, 32)}


@pytest.mark.parametrize("command", COMMANDS, ids=["folder", "public bucket", "shards"])
def test_the_commands_of_the_page_make_datasets(
    command: str,
    s3: Any,
    upload: Callable[[Path, str], None],
    make_source: Callable[..., Path],
    tmp_path: Path,
) -> None:
    source = make_source(all_splits(1, 2, 3), name="bins")
    for bucket in set(re.findall(r"s3://([a-z-]+)", command)):
        upload(source, bucket)
    done = subprocess.run(
        command.replace(".venv/bin/python", sys.executable),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/core"},
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "/datasets/bins-" in done.stdout and "has 9 images; 0 were rejected" in done.stdout


def test_a_bucket_becomes_a_dataset_in_a_bucket(
    s3: Any, upload: Callable[[Path, str], None], make_source: Callable[..., Path]
) -> None:
    upload(make_source({str(number * 80): number % 3 for number in range(90)}), "cli-source")
    s3.create_bucket(Bucket="cli-target")
    done = data_prep(
        "--quiet", "--source", "s3://cli-source", "--target", "s3://cli-target/team", "--counts", "1-2"
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())
    found = s3.list_objects_v2(Bucket="cli-target", Prefix="team/datasets/")["Contents"]
    assert sum(entry["Key"].endswith(".jpg") for entry in found) == 60
    assert sum(entry["Key"].endswith("/dataset.json") for entry in found) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--file-list", "no-such-file"),
            f"BadRequest: file_list: there is nothing to read at {ROOT}/no-such-file",
        ),
        (("--counts", "5-1"), "min <= max, not [5, 1]"),
        (("--counts", "0-9", "--validation-share", "2"), "validation_share: "),
        (("--counts", "0-9"), "selects no usable image"),
        (("--counts", "0-9", "--square"), "BadRequest: --square wants a size too; give --short-side 256"),
    ],
)
def test_a_fault_is_one_line_and_exit_code_1(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = data_prep("--quiet", "--source", tmp_path / "none", "--target", tmp_path / "t", *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("BadRequest: ") and done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not list(tmp_path.rglob("dataset.json"))


def test_a_target_that_cannot_be_written_is_one_line_too(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    source = make_source(all_splits(1, 2))
    done = data_prep("--quiet", "--source", source, "--target", tmp_path / "file", "--counts", "1-2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("TransferFailed: writing ")


def test_the_same_source_and_list_are_the_same_dataset_however_spelled(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source(all_splits(1, 2))
    (tmp_path / "link").symlink_to(source)
    for spelled in (
        source,
        f"{source}/",
        f"{source}/metadata/..",
        tmp_path / "link",
        os.path.relpath(source, ROOT),
    ):
        done = data_prep(
            "--quiet",
            "--source",
            spelled,
            "--target",
            tmp_path / "t",
            "--file-list",
            f"{spelled}/file_list.json",
        )
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "t" / "datasets").iterdir())) == 1


def test_a_dataset_that_cannot_be_trained_is_rejected_in_one_line(
    make_source: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_source({str(number): number % 3 for number in range(30)})
    done = data_prep("--quiet", "--source", source, "--target", tmp_path / "t", "--counts", "0-2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("NotTrainable: ")


def test_storage_that_does_not_answer_is_one_line_too(tmp_path: Path) -> None:
    done = data_prep(
        *("--quiet", "--source", "s3://nothing", "--target", tmp_path, "--counts", "1-5"),
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_MAX_ATTEMPTS="1",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
    )
    assert done.returncode == 1
    assert done.stderr.startswith("TransferFailed: ListObjectsV2 of s3://nothing/")
    assert done.stderr.count("\n") == 1


def test_help_shows_examples() -> None:
    done = data_prep("--help")
    assert done.returncode == 0
    assert "python -m data_prep --source bins/ --target data/ --file-list bins/file_list.json" in done.stdout
