"""Runs in MLflow: what real jobs of the embedded cloud left, logged by the command line and read back."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud

from bincount.experiments.address import parse_address
from bincount.experiments.file_store import FileStore
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


def in_files(store: Path) -> dict[str, Any]:
    """All that a store in files has of our runs, in the form of `everything`; read as MLflow's layout is."""
    found: dict[str, Any] = {}
    for run in (meta.parent for meta in store.glob("*/*/meta.yaml")):
        if run.parent.name == "datasets":
            continue
        params, tags, metrics = (files_below(run / kind) for kind in ("params", "tags", "metrics"))
        lines = {key: [line.split() for line in text.splitlines()] for key, text in metrics.items()}
        meta, inputs = members(run / "meta.yaml"), [members(file) for file in run.glob("inputs/*/meta.yaml")]
        datasets = [members(run.parent / "datasets" / each["source_id"] / "meta.yaml") for each in inputs]
        found[meta["run_name"]] = {
            "status": {3: "FINISHED", 4: "FAILED", 5: "KILLED"}[meta["status"]],
            "ended": meta["end_time"],
            "params": params,
            "tags": {key: value for key, value in tags.items() if key.startswith("bincount.")},
            "curves": {
                key: [(int(step), float(value)) for _, value, step in lines[key]] for key in sorted(lines)
            },
            "datasets": [
                {
                    "tags": [{"key": key, "value": value} for key, value in each["tags"].items()],
                    "dataset": {key: value for key, value in dataset.items() if value is not None},
                }
                for each, dataset in zip(inputs, datasets, strict=True)
            ],
        }
    return dict(sorted(found.items()))


def files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def members(meta: Path) -> dict[str, Any]:
    lines = (line.partition(": ") for line in meta.read_text().splitlines())
    return {key: json.loads(value) for key, _, value in lines}


def test_a_store_in_files_has_what_a_server_has(
    runs_cloud: Cloud, bincount: Any, mlflow: Gate, tmp_path: Path
) -> None:
    """Twice is once there too; `make mlflow-proof` names a folder, and reads it with the real MLflow."""
    store = Path(os.environ.get("REAL_MLFLOW_FILES", tmp_path / "mlruns"))
    bincount("runs", "--log-to", mlflow.url)
    for _ in range(2):
        done = bincount("runs", "--log-to", str(store))
        assert f"3 runs are in the MLflow experiment {EXPERIMENT}" in done.stderr
        assert in_files(store) == everything(mlflow)
    (report,) = store.glob("*/*/artifacts/gate/report.html")
    assert report.read_bytes() == b"the gate's page"
    written = output_of(runs_cloud, FIRST)
    for name in ("MODEL_CARD.md", "evaluation/report.html"):
        assert (report.parents[1] / name).read_bytes() == written[name]


def test_a_store_in_files_goes_on_where_it_was_killed(
    runs_cloud: Cloud, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage("local", cloud=runs_cloud.client_file)
    run, replace, left = find_run(stage, FIRST), Path.replace, 0

    def killed(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return replace(self, target)

    log_runs(stage, FileStore(tmp_path / "whole"), [run])
    wanted = in_files(tmp_path / "whole")
    writes = sum(path.is_file() for path in (tmp_path / "whole").rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        for place in range(0, writes, 7):
            left, store = place, FileStore(tmp_path / str(place))
            with pytest.raises(KeyboardInterrupt):
                log_runs(stage, store, [run])
            left = 10_000
            log_runs(stage, store, [run])
            assert in_files(tmp_path / str(place)) == wanted, f"killed at write {place}"


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
