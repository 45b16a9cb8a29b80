"""Logs runs into an MLflow: done twice it changes nothing, killed anywhere it goes on where it was.

A run is found by its training job's name. Each step looks at what the server has and adds what is missing; a
step of several requests ends with a tag that says that it was done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bincount.errors import BincountError
from bincount.experiments.file_store import FileStore
from bincount.experiments.mlflow import Metric, Mlflow, MlflowRun, MlflowUnavailable
from bincount.experiments.record import PAGES, STATUS, Record, gate_metrics, gate_tags, record_of
from bincount.models.registry import ModelPackage
from bincount.runs.output import read_output
from bincount.runs.run import METRICS, Run, details_of
from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage

_DONE, _GATE_DONE = "bincount.logged", "bincount.gate_logged"
_NO_PLACE = "bincount.artifacts"
Tracking = Mlflow | FileStore


@dataclass(kw_only=True)
class Logged:
    """Names of training jobs: `logged` are in MLflow, `running` have not ended, `left` were not looked at;
    `failed` have a reason why they could not be logged."""

    logged: list[str] = field(default_factory=list[str])
    running: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])


def log_runs(
    stage: Stage, mlflow: Tracking, runs: Sequence[Run], *, may_go_on: Callable[[], bool] = lambda: True
) -> Logged:
    """Logs those that have ended; after each of them `may_go_on` is asked.

    Raises MlflowUnavailable where the server does not answer: what was logged stays, the same call goes on.
    """
    experiment = mlflow.experiment(stage.prefix)
    done = Logged()
    for place, run in enumerate(runs):
        if place and not may_go_on():
            done.left = [each.name for each in runs[place:]]
            break
        if run.job.status not in STATUS:
            done.running.append(run.name)
            continue
        try:
            _log(stage, mlflow, experiment, run)
            done.logged.append(run.name)
        except MlflowUnavailable:
            raise
        except BincountError as error:
            done.failed[run.name] = str(error)
    return done


def _log(stage: Stage, mlflow: Tracking, experiment: str, run: Run) -> None:
    bare = record_of(run, None)
    there = mlflow.find_run(experiment, run.name) or mlflow.create_run(
        experiment, run.name, started=bare.started
    )
    if there.deleted:
        return  # a person deleted it: it stays so
    if _DONE not in there.tags:
        _log_training(stage, mlflow, there, run)
    package = next((each for each in run.versions if each.gate), None)
    if package and there.tags.get(_GATE_DONE) != package.arn:
        _log_gate(stage, mlflow, there, package, bare)


def _log_training(stage: Stage, mlflow: Tracking, there: MlflowRun, run: Run) -> None:
    files = read_output(stage, run.output, PAGES) if run.output else {}
    record = record_of(run, details_of(files[METRICS]) if METRICS in files else None)
    _add(mlflow, there, record.metrics, record.params, record.tags)
    if run.dataset and run.dataset_uri:
        mlflow.log_dataset(there.id, name=run.dataset, digest=run.dataset[-36:], source=run.dataset_uri)
    _put(mlflow, there, files)
    mlflow.end_run(there.id, status=record.status, ended=record.ended)
    mlflow.log(there.id, params={}, tags={_DONE: "yes"})


def _log_gate(
    stage: Stage, mlflow: Tracking, there: MlflowRun, package: ModelPackage, record: Record
) -> None:
    addresses = {"gate/report.html": package.report, "gate/verdict.json": package.verdict}
    files = {name: _read(stage, address) for name, address in addresses.items() if address}
    _put(mlflow, there, {name: data for name, data in files.items() if data is not None})
    _add(mlflow, there, gate_metrics(package, ended=record.ended), {}, gate_tags(package))
    mlflow.log(there.id, params={}, tags={_GATE_DONE: package.arn})


def _add(
    mlflow: Tracking,
    there: MlflowRun,
    metrics: Sequence[Metric],
    params: dict[str, str],
    tags: dict[str, str],
) -> None:
    """What the server does not have yet."""
    mlflow.log(
        there.id,
        metrics=[each for each in metrics if each.step > there.steps.get(each.key, -1)],
        params={key: value for key, value in params.items() if key not in there.params},
        tags={key: value for key, value in tags.items() if there.tags.get(key) != value},
    )


def _put(mlflow: Tracking, there: MlflowRun, files: dict[str, bytes]) -> None:
    """The files as artifacts; where MLflow has no place that is reached from here, a tag says it."""
    for name, data in files.items():
        if not mlflow.put_artifact(there, name, data):
            words = f"none: {there.artifacts} is reached by the server's own machine only"
            mlflow.log(there.id, params={}, tags={_NO_PLACE: words})
            return


def _read(stage: Stage, address: str) -> bytes | None:
    """The object at an S3 address; None where it is not there."""
    bucket, key = address.removeprefix("s3://").split("/", 1)
    return read_if_there(stage.client("s3"), bucket, key)
