"""What training evaluates is what the server answers, by either rule (`--answer`)."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from scipy.special import softmax

from bincount_core import answer as core
from bincount_core.model_json import Description
from bintrain.data.classes import Classes
from bintrain.evaluation.answers import answers
from bintrain.evaluation.calibration import calibrate
from bintrain.evaluation.conformal import join_scores
from bintrain.settings import Settings
from inference.inference import input_fn, model_fn, predict_fn
from inference.model.answer import make_answer
from infra.settings import Training
from tests.unit.training.conftest import write_dataset

ROOT = Path(__file__).parents[3]
COUNTS = (0, 1, 2, 3, 5)


def test_infra_and_training_know_the_rules_of_the_core() -> None:
    for settings in (Settings, Training):
        assert get_args(settings.model_fields["answer"].annotation) == core.RULES
    assert Settings.model_fields["answer"].default == Training.model_fields["answer"].default


@pytest.mark.parametrize("by", core.RULES)
def test_the_server_gives_the_answers_that_training_evaluated(by: core.Rule) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 1.2, (400, len(COUNTS))).astype(np.float32)
    lots = random.random((400, 1))
    true = (
        (softmax(logits.astype(np.float64), axis=1).cumsum(axis=1) < lots)
        .sum(axis=1)
        .clip(max=len(COUNTS) - 1)
    )
    settings = Settings(answer=by, target_accuracy=0.3)
    classes = Classes(counts=COUNTS, open_top=False)
    chosen = calibrate(logits.astype(np.float64), true, classes=classes, settings=settings)
    model = Description(
        model_id="m", architecture="none", precision="FP16", counts=COUNTS, open_top=False, width=8, height=8,
        temperature=chosen.temperature, score_quantile=chosen.score_quantile,
        confidence_below=chosen.confidence_below, mismatch_below=chosen.mismatch_below, answer=by,
    )  # fmt: skip

    found = answers(logits.astype(np.float64), temperature=chosen.temperature, by=by)
    served = [make_answer(row, model=model) for row in logits]

    assert [answer.count for answer in served] == [COUNTS[column] for column in found.predicted]
    assert [answer.confidence for answer in served] == pytest.approx(found.confidence)
    held = join_scores(found) <= chosen.score_quantile
    assert [answer.interval for answer in served] == [
        (COUNTS[row.argmax()], COUNTS[len(row) - 1 - row[::-1].argmax()]) for row in held
    ]
    assert chosen.confidence_below is not None
    assert [answer.review for answer in served] == list(found.confidence < chosen.confidence_below)
    other = answers(
        logits.astype(np.float64), temperature=chosen.temperature, by=core.RULES[by == core.RULES[0]]
    )
    assert 40 < (found.predicted != other.predicted).sum() < 200


@pytest.mark.parametrize("by", core.RULES)
def test_a_job_evaluates_what_its_model_will_answer(by: core.Rule, tmp_path: Path) -> None:
    """After one epoch from scratch no count is probable, so the two rules give different ones."""
    counts = [1, 2, 3, 4, 5]
    dataset = tmp_path / "bins"
    dataset.mkdir()
    write_dataset(dataset, train=counts * 6, validation=counts * 4, test=counts * 6)
    flags = {"arch": "resnet18", "image-size": "32", "pretrained": "none", "epochs": "1", "batch-size": "8",
             "precision": "fp16", "amp": "none", "answer": by, "dataset": str(dataset),
             "model-dir": str(tmp_path / "model"), "output-dir": str(tmp_path / "output")}  # fmt: skip
    words = [word for name, value in flags.items() for word in (f"--{name}", value)]
    job = subprocess.run([sys.executable, ROOT / "training/train.py", *words], check=False, env=os.environ,
                         capture_output=True, text=True, timeout=300)  # fmt: skip
    assert job.returncode == 0, job.stderr
    rows = list(csv.DictReader((tmp_path / "output/evaluation/predictions.csv").open()))
    described = json.loads((tmp_path / "model/model.json").read_text())
    model = model_fn(tmp_path / "model", cpus=1)

    files = {path.stem: path for path in dataset.glob("val/*/*.jpg")}
    served = [predict_fn(input_fn(files[row["id"]].read_bytes(), "image/jpeg"), model).answer for row in rows]

    assert described["calibration"]["answer"] == model.description.answer == by
    assert [answer.count for answer in served] == [int(row["predicted"]) for row in rows]
    assert [answer.confidence for answer in served] == pytest.approx(
        [float(row["confidence"]) for row in rows], abs=2e-4
    )
    off = np.array([answer.count - int(row["count"]) for answer, row in zip(served, rows, strict=True)])
    assert described["metrics"]["test"]["accuracy"] == pytest.approx((off == 0).mean())
    assert described["metrics"]["test"]["rmse"] == pytest.approx(np.sqrt((off**2).mean()))
    columns = [[float(row[f"p{count}"]) for count in counts] for row in rows]
    likeliest = [counts[int(np.argmax(row))] for row in columns]
    assert ([answer.count for answer in served] == likeliest) is (by == "most_probable")
