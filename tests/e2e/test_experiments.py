"""Runs in MLflow: what real jobs of the embedded cloud left, logged by the command line and read back."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud

from bincount.experiments.address import parse_address
from bincount.experiments.log import log_runs
from bincount.experiments.mlflow import Mlflow, MlflowUnavailable
from bincount.runs.run import find_run
from bincount.stage.stage import Stage
from tests.e2e.mlflow_kit import EXPERIMENT, Gate, an_mlflow, is_write
from tests.e2e.runs_kit import FIRST, FLAGS, SECOND, WRONG, described, output_of

pytestmark = pytest.mark.e2e


@pytest.fixture
def mlflow(package: str) -> Iterator[Gate]:
    with an_mlflow() as gate:
        yield gate


def pairs(run: dict[str, Any], kind: str) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in run["data"].get(kind, [])}


def everything(gate: Gate) -> dict[str, Any]:
    """All that the server knows of our runs, without its own ids."""
    runs = gate.runs(EXPERIMENT)
    return {
        name: {
            "status": run["info"]["status"],
            "ended": run["info"].get("end_time"),
            "params": pairs(run, "params"),
            "tags": {k: v for k, v in pairs(run, "tags").items() if k.startswith("bincount.")},
            "curves": {key: gate.curve(run, key) for key in sorted(pairs(run, "metrics"))},
            "datasets": run.get("inputs", {}).get("dataset_inputs", []),
        }
        for name, run in sorted(runs.items())
    }


def test_a_run_has_what_the_training_wrote(runs_cloud: Cloud, bincount: Any, mlflow: Gate) -> None:
    done = bincount("runs", "--log-to", mlflow.url)
    assert f"3 runs are in the MLflow experiment {EXPERIMENT}" in done.stderr
    runs, written = mlflow.runs(EXPERIMENT), output_of(runs_cloud, FIRST)
    assert set(runs) == {FIRST, SECOND, WRONG}
    first, document = runs[FIRST], json.loads(written["evaluation/metrics.json"])
    assert first["info"]["status"] == "FINISHED"
    params = pairs(first, "params")
    assert params.items() >= {flag.replace("-", "_"): value for flag, value in FLAGS.items()}.items()
    assert set(params) >= set(document["settings"])
    for name in ("train:loss", "validation:rmse"):
        curve = [(line["epoch"], line[name]) for line in document["history"]]
        assert mlflow.curve(first, name.replace(":", "/")) == curve
    job = described(runs_cloud, FIRST)
    metrics = pairs(first, "metrics")
    assert {f"model/{row['MetricName'].replace(':', '/')}" for row in job["FinalMetricDataList"]} <= set(
        metrics
    )
    assert metrics["cost_usd"] == metrics["billable_seconds"] == job["BillableTimeInSeconds"]
    (dataset,) = first["inputs"]["dataset_inputs"]
    assert dataset["dataset"]["name"] == "tiny"
    for name in ("evaluation/report.html", "evaluation/metrics.json", "MODEL_CARD.md"):
        assert mlflow.artifact(first, name) == written[name]


def test_the_verdict_of_the_gate_is_with_the_run(bincount: Any, mlflow: Gate, package: str) -> None:
    bincount("runs", FIRST, "--log-to", mlflow.url)
    (run,) = mlflow.runs(EXPERIMENT).values()
    tags = pairs(run, "tags")
    assert (tags["bincount.gate"], tags["bincount.model_package"]) == ("accepted", package)
    assert mlflow.curve(run, "gate/accuracy") == [(1, 0.75)]
    assert mlflow.artifact(run, "gate/report.html") == b"the gate's page"


def test_a_failed_run_is_logged_with_its_reason(runs_cloud: Cloud, bincount: Any, mlflow: Gate) -> None:
    bincount("runs", WRONG, "--log-to", mlflow.url)
    (run,) = mlflow.runs(EXPERIMENT).values()
    assert run["info"]["status"] == "FAILED"
    assert pairs(run, "tags")["bincount.failure"] == described(runs_cloud, WRONG)["FailureReason"]


def test_logged_twice_is_logged_once(bincount: Any, mlflow: Gate) -> None:
    bincount("runs", "--log-to", mlflow.url)
    once, asked = everything(mlflow), len(mlflow.asked)
    bincount("runs", "--log-to", mlflow.url)
    assert everything(mlflow) == once
    assert len(mlflow.asked) - asked == 1 + len(once), "only the experiment and each run are looked up"


def test_broken_off_at_any_write_it_goes_on(runs_cloud: Cloud, package: str) -> None:
    """The server goes away after a write, whose answer is lost; in the end the same is there."""
    stage = Stage("local", cloud=runs_cloud.client_file)
    run = find_run(stage, FIRST)

    def log(gate: Gate) -> None:
        log_runs(stage, Mlflow(stage=stage, address=parse_address(gate.url), patience=0), [run])

    with an_mlflow() as whole:
        log(whole)
        wanted = everything(whole)
        writes = sum(is_write(method, path) for method, path, _ in whole.asked)
    assert writes > 15
    for place in range(writes):
        with an_mlflow() as broken:
            broken.broken = place
            with pytest.raises(MlflowUnavailable):
                log(broken)
            broken.broken = None
            log(broken)
            assert everything(broken) == wanted, f"broken off at write {place}"


def test_a_server_that_is_down_is_one_clear_line(bincount: Any, mlflow: Gate) -> None:
    mlflow.broken = -1
    assert "answered 503" in bincount("runs", FIRST, "--log-to", mlflow.url, check=1).stderr


def test_what_is_no_mlflow_is_one_clear_line(bincount: Any) -> None:
    for address, words in {
        "http://example.com": "https only",
        "arn:aws:s3:::bins": "is no MLflow",
        "https://user:word@example.com": "is no MLflow",
    }.items():
        assert words in bincount("runs", FIRST, "--log-to", address, check=1).stderr


def test_the_word_stage_needs_an_mlflow_of_the_stage(bincount: Any) -> None:
    assert "experiments.mlflow" in bincount("runs", FIRST, "--log-to", "stage", check=1).stderr
