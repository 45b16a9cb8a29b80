"""What the person that started a job can correct: one line in log and failure file, exit code 1."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from train import main  # training/train.py

Fault = Callable[[Path], list[str]]


def _wrong_value(dataset: Path) -> list[str]:
    return ["--learning-rate", "fast"]


def _missing_channel(dataset: Path) -> list[str]:
    return ["--dataset", str(dataset / "nowhere")]


def _not_sealed(dataset: Path) -> list[str]:
    (dataset / "dataset.json").unlink()
    return []


def _one_class(dataset: Path) -> list[str]:
    return ["--max-count", "0"]


def _unseen_count(dataset: Path) -> list[str]:
    _change(dataset, place=-1, count=4)
    return []


def _empty_split(dataset: Path) -> list[str]:
    for place in (3, 4):
        _change(dataset, place=place, split="test")
    return []


def _unreadable_image(dataset: Path) -> list[str]:
    data = (dataset / "train/1/00000.jpg").read_bytes()[:40]
    (dataset / "train/1/00000.jpg").write_bytes(data)
    _change(dataset, place=0, sha256=hashlib.sha256(data).hexdigest())
    return []


def _no_weights(dataset: Path) -> list[str]:
    return ["--pretrained", "auto"]


def _change(dataset: Path, *, place: int, **fields: object) -> None:
    path = dataset / "manifest.jsonl.gz"
    with gzip.open(path, "rt") as manifest:
        lines = [json.loads(line) for line in manifest]
    lines[place] |= fields
    with gzip.open(path, "wt") as manifest:
        manifest.writelines(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (_wrong_value, "--learning-rate: input should be a valid number"),
        (_missing_channel, "nowhere is not a folder"),
        (_not_sealed, "the dataset is not sealed"),
        (_one_class, "training needs images of at least two classes"),
        (_unseen_count, "shows 4 objects, but no training image does"),
        (_empty_split, "has no image in its split 'validation'"),
        (_unreadable_image, "train/1/00000.jpg: not a readable image (40 bytes)"),
        (_no_weights, "no ImageNet weights for resnet18"),
    ],
)
def test_a_fault_is_one_line_in_the_log_and_in_the_failure_file(
    make_dataset: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Fault,
    says: str,
) -> None:
    dataset = make_dataset()
    monkeypatch.setenv("SM_OUTPUT_DIR", str(tmp_path / "output"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "sys.argv",
        ["train.py", "--arch", "resnet18", "--image-size", "32", "--pretrained", "none", "--epochs", "1",
         "--dataset", str(dataset), "--model-dir", str(tmp_path / "model"),
         "--output-dir", str(tmp_path / "data"), *fault(dataset)],
    )  # fmt: skip

    code = main()

    line = (tmp_path / "output" / "failure").read_text(encoding="utf-8")
    assert code == 1
    assert line.startswith("TrainingError: ") and says in line and "\n" not in line
    assert capsys.readouterr().err.splitlines()[-1].startswith(line)
    assert not (tmp_path / "model" / "model.json").exists()
