"""MLflow's store in files: what MLflow writes into it again is read, and nothing is written beside it."""

from pathlib import Path

import pytest

from bincount.errors import BincountError
from bincount.experiments.file_store import FileStore
from bincount.experiments.mlflow import Metric, MlflowRun

JOB = "bins-local-0-001"
BY_MLFLOW = """artifact_uri: {artifacts}
end_time: 1769854000000
entry_point_name: ''
experiment_id: '{experiment}'
lifecycle_stage: {stage}
run_id: {run}
run_name: {job}
source_name: ''
source_type: 4
source_version: ''
start_time: 1769853900000
status: 3
tags: []
user_id: ''
"""
"""As MLflow 3.17.2 writes a run's meta.yaml when a person deletes the run, or restores it."""


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "mlruns")


def made(store: FileStore) -> MlflowRun:
    return store.create_run(store.experiment("bincount-local"), JOB, started=1_769_853_900_000)


def written_by_mlflow(tmp_path: Path, run: MlflowRun, *, stage: str) -> Path:
    experiment, _, number = run.id.partition("/")
    meta = tmp_path / "mlruns" / run.id / "meta.yaml"
    text = BY_MLFLOW.format(artifacts=run.artifacts, experiment=experiment, stage=stage, run=number, job=JOB)
    meta.write_text(text)
    return meta


def test_a_run_that_a_person_deleted_in_mlflow_is_seen_so(store: FileStore, tmp_path: Path) -> None:
    run = made(store)
    for stage, deleted in (("deleted", True), ("active", False)):
        written_by_mlflow(tmp_path, run, stage=stage)
        found = store.find_run(store.experiment("bincount-local"), JOB)
        assert found is not None
        assert (found.deleted, found.artifacts) == (deleted, run.artifacts)


def test_a_file_that_mlflow_wrote_again_keeps_its_members(store: FileStore, tmp_path: Path) -> None:
    run = made(store)
    meta = written_by_mlflow(tmp_path, run, stage="active")
    store.end_run(run.id, status="KILLED", ended=7)
    lines = meta.read_text().splitlines()
    assert {"status: 5", "end_time: 7", 'lifecycle_stage: "active"', f'run_name: "{JOB}"'} <= set(lines)


def test_an_experiment_that_was_deleted_is_not_made_again(store: FileStore, tmp_path: Path) -> None:
    number, folder = store.experiment("bincount-local"), tmp_path / "mlruns"
    meta = folder / number / "meta.yaml"
    meta.write_text(meta.read_text().replace('"active"', "deleted"))
    (folder / ".trash").mkdir()
    (folder / number).rename(folder / ".trash" / number)
    with pytest.raises(BincountError, match="is deleted"):
        store.experiment("bincount-local")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a//b", ""])
def test_no_name_leads_out_of_the_store(store: FileStore, name: str, tmp_path: Path) -> None:
    run, before = made(store), sorted(tmp_path.rglob("*"))
    with pytest.raises(BincountError, match="no name in an MLflow store"):
        store.log(run.id, params={name: "x"}, tags={})
    with pytest.raises(BincountError, match="no name in an MLflow store"):
        store.put_artifact(run, name, b"x")
    assert sorted(tmp_path.rglob("*")) == before


def test_steps_that_are_added_later_follow_the_first(store: FileStore) -> None:
    run = made(store)
    for step in (1, 2, 12):
        metric = Metric(key="validation/rmse", value=1 / step, step=step, timestamp=step)
        store.log(run.id, metrics=[metric], params={}, tags={})
    found = store.find_run(store.experiment("bincount-local"), JOB)
    assert found is not None and found.steps == {"validation/rmse": 12}
