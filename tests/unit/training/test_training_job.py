"""The whole job, run as SageMaker's toolkit runs it."""

import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from jsonschema import Draft202012Validator

from bincount_core.image import read_image
from bincount_core.limits import MOST_PIXELS
from bincount_core.preprocessing import preprocess
from bintrain.engine.network import build_network
from bintrain.settings import Settings
from tests.browser.look import complaints, look

REPOSITORY = Path(__file__).parents[3]
FLAGS = {
    "arch": "resnet18", "image-size": "32", "pretrained": "none", "epochs": "5", "batch-size": "8",
    "learning-rate": "0.002", "dropout": "0.1", "seed": "4", "precision": "fp16", "amp": "none",
}  # fmt: skip
"""FP32 (`amp`), so that one seed gives the same weights on every type of CPU."""


@dataclass(frozen=True)
class Run:
    """A job's folders, below one base as SageMaker lays them out."""

    base: Path

    @property
    def env(self) -> dict[str, str]:
        (self.base / "output").mkdir(parents=True, exist_ok=True)
        return os.environ | {
            "SM_MODEL_DIR": str(self.base / "model"),
            "SM_OUTPUT_DATA_DIR": str(self.base / "output" / "data"),
            "SM_OUTPUT_DIR": str(self.base / "output"),
            "SM_CHECKPOINT_DIR": str(self.base / "checkpoints"),
            "TRAINING_JOB_NAME": "tiny-job",
            "SOURCE_REVISION": "abc123",
        }

    def command(self, dataset: Path, **changed: str) -> list[str]:
        flags = FLAGS | {name.replace("_", "-"): value for name, value in changed.items()}
        words = [word for name, value in flags.items() for word in (f"--{name}", value)]
        return [sys.executable, str(REPOSITORY / "training" / "train.py"), "--dataset", str(dataset), *words]

    def train(self, dataset: Path, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(dataset, **changed),
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="session")
def trained(forty_bins: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A finished job on forty bins, and its log."""
    run = Run(tmp_path_factory.mktemp("trained"))
    result = run.train(forty_bins)
    assert result.returncode == 0, result.stderr
    return run, result.stdout


def test_model_json_is_what_the_schema_asks_for(trained: tuple[Run, str]) -> None:
    schema = json.loads((REPOSITORY / "docs/schemas/model.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    model = json.loads((trained[0].base / "model" / "model.json").read_text())

    Draft202012Validator(schema).validate(model)
    assert (model["model_id"], model["dataset_id"], model["source_revision"]) == (
        "tiny-job",
        "tiny",
        "abc123",
    )
    assert model["classes"] == {"counts": [1, 4], "open_top": False}
    assert model["metrics"]["test"]["images"] == 8
    assert model["metrics"]["test"]["majority_accuracy"] == 0.5
    assert sorted(path.name for path in (trained[0].base / "model").iterdir()) == [
        "model.bin", "model.json", "model.xml",
    ]  # fmt: skip


def test_it_learns_to_tell_one_object_from_four(trained: tuple[Run, str]) -> None:
    model = json.loads((trained[0].base / "model" / "model.json").read_text())

    assert model["metrics"]["test"]["accuracy"] >= 0.75


def test_the_log_has_every_metric_of_the_contract(trained: tuple[Run, str]) -> None:
    run, log = trained
    model = json.loads((run.base / "model" / "model.json").read_text())

    for name in ("train:loss", "train:images_per_second", "validation:loss"):
        assert len(re.findall(rf"^metric={name} value=[-+0-9.eE]+ epoch=\d+$", log, re.MULTILINE)) == 5
    for split in ("validation", "test"):
        for name in ("accuracy", "rmse", "mae", "within_one"):
            last = re.findall(rf"metric={split}:{name} value=([-+0-9.eE]+)", log)[-1]
            assert float(last) == pytest.approx(model["metrics"][split][name], rel=1e-5)
    assert re.findall(r"metric=test:majority_accuracy value=([-+0-9.eE]+)", log) == ["0.5"]


def test_the_papers_lie_beside_the_model(trained: tuple[Run, str], forty_bins: Path) -> None:
    output = trained[0].base / "output" / "data"
    rows = list(csv.DictReader((output / "evaluation" / "predictions.csv").open()))
    metrics = json.loads((output / "evaluation" / "metrics.json").read_text())
    card = (output / "MODEL_CARD.md").read_text()

    assert [row["count"] for row in rows] == ["4", "1"] * 4
    right = sum(row["count"] == row["predicted"] for row in rows) / len(rows)
    assert right == metrics["model"]["metrics"]["test"]["accuracy"]
    assert len(metrics["history"]) == 5
    assert "# Model card: tiny-job" in card and "| 4 | 4 |" in card and "| all | 8 |" in card


def test_a_person_finds_the_evaluation_in_charts_and_on_a_page(trained: tuple[Run, str]) -> None:
    folder = trained[0].base / "output" / "data" / "evaluation"
    metrics = json.loads((folder / "metrics.json").read_text())

    assert sorted(path.name for path in folder.iterdir()) == [
        "confusion_matrix.png", "learning_curves.png", "metrics.json", "mistakes.jpg", "predictions.csv",
        "reliability.png", "report.html", "risk_coverage.png",
    ]  # fmt: skip
    assert "Evaluation of tiny-job" in (folder / "report.html").read_text(encoding="utf-8")
    assert sum(point["images"] for point in metrics["test"]["reliability"]["after"]) == 8
    assert metrics["test"]["risk_coverage"][-1]["coverage"] == 1.0


def test_the_published_answers_are_those_of_the_torch_network(
    trained: tuple[Run, str], forty_bins: Path
) -> None:
    base = trained[0].base
    settings = Settings(arch="resnet18", pretrained="none", image_size=32)
    network = build_network(settings=settings, classes=2, weights=None).eval()
    weights = torch.load(base / "output" / "data" / "weights.pt", weights_only=True)
    network.backbone.load_state_dict(weights)
    compiled = ov.Core().compile_model(base / "model" / "model.xml", "CPU")
    paths = sorted(forty_bins.glob("val/*/*.jpg"))
    pixels = np.stack(
        [
            preprocess(read_image(path.read_bytes(), max_pixels=MOST_PIXELS), width=32, height=32)
            for path in paths
        ]
    )

    exported = compiled({"image": pixels})["logits"]
    expected = network(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255).detach().numpy()

    assert exported.dtype == np.float32 and exported.shape == (16, 2)
    assert np.array_equal(exported.argmax(1), expected.argmax(1))
    assert exported == pytest.approx(expected, abs=0.02)


def test_the_exported_graph_takes_raw_pixels_in_any_number(trained: tuple[Run, str]) -> None:
    model = ov.Core().read_model(trained[0].base / "model" / "model.xml")

    assert model.input("image").element_type == ov.Type.u8
    assert str(model.input("image").partial_shape) == "[?,32,32,3]"
    assert model.output("logits").element_type == ov.Type.f32
    assert str(model.output("logits").partial_shape) == "[?,2]"


def test_a_job_killed_at_random_moments_ends_as_if_it_had_not_been(
    trained: tuple[Run, str], forty_bins: Path, tmp_path: Path
) -> None:
    # A checkpoint after every step, so that most kills fall within an epoch.
    run, moments = Run(tmp_path), random.Random(11)
    command = run.command(forty_bins, checkpoint_minutes="0.00001")
    folder = tmp_path / "checkpoints" / "tiny-job"
    for kill in range(3):
        process = subprocess.Popen(command, env=run.env, stdout=subprocess.DEVNULL)
        _wait_for_saves(folder, moments.randint(1, 3), process=process)
        if kill == 1:
            _wait_for(folder / ".checkpoint.pt.partial", process=process)
        else:
            time.sleep(moments.uniform(0, 0.3))
        process.kill()
        process.wait()

    again = run.train(forty_bins)

    assert again.returncode == 0, again.stderr
    assert re.search(r"^resumed after epoch [0-4], step \d+$", again.stdout, re.MULTILINE)
    for name in ("output/data/evaluation/predictions.csv", "output/data/evaluation/confusion_matrix.png"):
        assert (tmp_path / name).read_bytes() == (trained[0].base / name).read_bytes()
    histories = [
        json.loads((base / "output/data/evaluation/metrics.json").read_text())["history"]
        for base in (tmp_path, trained[0].base)
    ]
    for epoch in (*histories[0], *histories[1]):
        del epoch["train:images_per_second"]
    assert histories[0] == histories[1]
    weights = [torch.load(base / "output/data/weights.pt") for base in (tmp_path, trained[0].base)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[1])


def _wait_for_saves(folder: Path, saves: int, *, process: "subprocess.Popen[bytes]") -> None:
    """Until so many more checkpoints were put in place."""
    seen, path = set(), folder / "checkpoint.pt"
    before = path.stat().st_mtime_ns if path.exists() else None
    while len(seen - {before}) < saves:
        assert process.poll() is None
        if path.exists():
            seen.add(path.stat().st_mtime_ns)
        time.sleep(0.005)


def _wait_for(path: Path, *, process: "subprocess.Popen[bytes]") -> None:
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.001)


def test_a_job_that_reads_shards_ends_as_one_that_reads_folders(
    trained: tuple[Run, str], packed: Path, tmp_path: Path
) -> None:
    run = Run(tmp_path / "job")

    result = run.train(packed)

    assert result.returncode == 0, result.stderr
    name = "output/data/evaluation/predictions.csv"
    assert (run.base / name).read_text() == (trained[0].base / name).read_text()
    metrics = [
        json.loads((one.base / "model/model.json").read_text())["metrics"] for one in (run, trained[0])
    ]
    assert metrics[0] == metrics[1]


def test_a_job_of_less_than_ten_minutes_writes_no_checkpoint(trained: tuple[Run, str]) -> None:
    assert not (trained[0].base / "checkpoints").exists()


def test_a_checkpoint_after_a_best_epoch_holds_its_weights_once(
    trained: tuple[Run, str], forty_bins: Path, tmp_path: Path
) -> None:
    """Network, average and two moments; a job that goes on from it ends as if it had not been killed."""
    run = Run(tmp_path)
    command = run.command(forty_bins, checkpoint_minutes="0")
    checkpoint = tmp_path / "checkpoints" / "tiny-job" / "checkpoint.pt"
    process = subprocess.Popen(command, env=run.env, stdout=subprocess.DEVNULL)
    _wait_for_saves(checkpoint.parent, 1, process=process)
    process.kill()
    process.wait()
    saved = torch.load(checkpoint, weights_only=True)["state"]["progress"]
    assert saved["best_epoch"] == saved["epoch"]

    again = run.train(forty_bins)

    assert again.returncode == 0, again.stderr
    weights = [base / "output" / "data" / "weights.pt" for base in (tmp_path, trained[0].base)]
    assert saved["best_weights"] == {}
    one, other = (torch.load(path, weights_only=True) for path in weights)
    assert all(torch.equal(one[key], other[key]) for key in other)
    # Every later trial of a tuning job downloads what is there.
    assert checkpoint.stat().st_size == 0


def test_a_gpu_instance_without_a_gpu_for_torch_is_rejected(forty_bins: Path, tmp_path: Path) -> None:
    run = Run(tmp_path)
    result = subprocess.run(
        run.command(forty_bins),
        env=run.env | {"SM_NUM_GPUS": "4"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 1
    assert "TrainingError: the instance has 4 GPU(s) (SM_NUM_GPUS) and torch" in result.stderr
    assert "training.image_tag" in (tmp_path / "output" / "failure").read_text()
    assert "Traceback" not in result.stderr


def test_a_checkpoint_of_other_hyperparameters_is_rejected(forty_bins: Path, tmp_path: Path) -> None:
    run = Run(tmp_path)
    command = run.command(forty_bins, checkpoint_minutes="0")
    process = subprocess.Popen(command, env=run.env, stdout=subprocess.DEVNULL)
    _wait_for_saves(tmp_path / "checkpoints" / "tiny-job", 1, process=process)
    process.kill()
    process.wait()

    result = run.train(forty_bins, learning_rate="0.5")

    assert result.returncode == 1
    assert "learning_rate was 0.002 and is now 0.5" in result.stderr
    assert "Traceback" not in result.stderr


def test_under_the_real_toolkit_the_failure_file_is_our_one_line(tmp_path: Path) -> None:
    code = tmp_path / "input" / "data" / "code"
    shutil.copytree(
        REPOSITORY / "training", code, ignore=shutil.ignore_patterns("requirements*", "__pycache__")
    )
    shutil.copytree(REPOSITORY / "core" / "bincount_core", code / "bincount_core")
    (tmp_path / "input" / "data" / "dataset").mkdir()
    config = tmp_path / "input" / "config"
    config.mkdir()
    hyperparameters = FLAGS | {"sagemaker_program": "train.py", "sagemaker_submit_directory": str(code)}
    encoded = {name: json.dumps(value) for name, value in hyperparameters.items()}
    (config / "hyperparameters.json").write_text(json.dumps(encoded))
    hosts = {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"}
    (config / "resourceconfig.json").write_text(json.dumps(hosts))
    (config / "inputdataconfig.json").write_text(json.dumps({"dataset": {}, "code": {}}))
    env = os.environ | {
        "SAGEMAKER_BASE_DIR": str(tmp_path),
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
    }

    train = Path(sysconfig.get_path("scripts")) / "train"
    result = subprocess.run(
        [train], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    failure = (tmp_path / "output" / "failure").read_text()
    assert result.returncode == 1
    assert failure.startswith("TrainingError: the dataset is not sealed: ")
    assert "\n" not in failure
    assert failure in result.stdout + result.stderr


def test_a_cpu_trains_in_bf16_by_flag_and_keeps_its_weights_in_fp32(forty_bins: Path, tmp_path: Path) -> None:
    run = Run(tmp_path)

    result = run.train(forty_bins, amp="bf16", epochs="1")

    assert result.returncode == 0, result.stderr
    weights = torch.load(tmp_path / "output" / "data" / "weights.pt", weights_only=True)
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
    assert all(bool(torch.isfinite(value).all()) for value in weights.values())


def test_a_browser_shows_the_evaluation_on_a_desk_in_a_hand_and_on_paper(
    trained: tuple[Run, str], tmp_path: Path
) -> None:
    page = trained[0].base / "output" / "data" / "evaluation" / "report.html"
    figures = json.loads(page.with_name("metrics.json").read_text())["model"]["metrics"]["test"]
    views = look(page, tmp_path)
    assert complaints(page, views) == []
    for view in views.values():
        assert view.title.startswith("Evaluation of ")
        assert f"{100 * figures['accuracy']:.1f} %\ncounted exactly right" in view.text
        for heading in ("How well it counts", "Which answers to trust", "The worst mistakes", "Settings"):
            assert heading in view.text
