"""`bincount train`: start the pipeline and follow it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bincount.cli.shared import ProfileOption, RegionOption, StageOption, screen
from bincount.errors import BincountError
from bincount.models.registry import FIGURES
from bincount.models.training_jobs import TrainingJob, jobs_of, shown_dollars, total_cost, tuning_jobs_of
from bincount.stage.execution import Execution, start
from bincount.stage.stage import Stage


def train(
    request: Annotated[
        Path | None, typer.Option("--request", help="JSON file with a data request (else the stage's own).")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Prepare data, train, tune, gate and register: start the pipeline.

    With --watch it tells each state, each training job with its metrics, and the cost so far (list prices).
    Ctrl-C ends the watching, not the training. Exit status 1 where the pipeline fails.
    """
    target = Stage(stage, region=region, profile=profile)
    execution = start(stage=target, machine="pipeline", request=_read(request))
    console = screen()
    console.print(f"started {execution.arn}", markup=False, soft_wrap=True)
    if watch:
        _watch(console, target, execution)


def _read(path: Path | None) -> str:
    if path is None:
        return "{}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise BincountError(f"{path}: not JSON ({error}): write it as docs/contracts.md has it") from error
    if not isinstance(document, dict):
        raise BincountError(f"{path}: expected a JSON object (docs/contracts.md, Pipeline)")
    return json.dumps({"request": document})


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for name, value in pairs:
        if name in built:
            raise ValueError(f"{name!r} is there twice")
        built[name] = value
    return built


def _watch(console: Console, stage: Stage, execution: Execution) -> None:
    told: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=None)
        for state in execution.follow():
            if state is not None:
                progress.console.print(f"state {state}", markup=False)
                continue
            jobs = _own_jobs(stage, execution)
            _tell(progress.console, jobs, told)
            done = sum(job.ended for job in jobs)
            words = f"training jobs, {shown_dollars(total_cost(jobs))} so far"
            progress.update(task, description=words, completed=done, total=len(jobs) or None)
    jobs = _own_jobs(stage, execution)
    _tell(console, jobs, told)
    result = json.loads(execution.output)
    console.print(f"training cost by list prices: {shown_dollars(total_cost(jobs))}", markup=False)
    for line in _verdict(result):
        console.print(line, markup=False, soft_wrap=True)


def _own_jobs(stage: Stage, execution: Execution) -> list[TrainingJob]:
    """This run's and no other's: by the names of the tuning jobs that it started."""
    return jobs_of(stage, tuning_jobs_of(stage, execution.history))


def _verdict(result: dict[str, Any]) -> Iterator[str]:
    """What the gate found, and what the registry holds now."""
    verdict = result.get("verdict")
    if verdict is not None:
        figures = verdict["challenger"]["metrics"]
        shown = ", ".join(f"{name} {figures[name]:.3f}" for name in FIGURES if figures.get(name) is not None)
        said = "accepted" if verdict["accepted"] else f"refused: {'; '.join(verdict['reasons'])}"
        yield f"the gate: {shown}; {said}"
    if "model_package" in result:
        yield f"registered {result['model_package']} {result.get('approval', '')}"


def _tell(console: Console, jobs: list[TrainingJob], told: dict[str, str]) -> None:
    """A line for each job that has something new to tell."""
    for job in jobs:
        line = _line(job)
        if told.get(job.name) != line:
            told[job.name] = line
            console.print(f"  {line}", markup=False, soft_wrap=True)


def _line(job: TrainingJob) -> str:
    flags = ", ".join(f"{flag} {value[:8]}" for flag, value in job.flags.items())
    names = (("train:loss", "loss"), ("validation:accuracy", "accuracy"), ("validation:rmse", "RMSE"))
    metrics = ", ".join(f"{words} {job.metrics[name]:.3f}" for name, words in names if name in job.metrics)
    step = f" ({job.step})" if job.step not in ("", job.status) else ""
    pieces = [f"{job.name}: {job.status}{step}", flags, metrics, job.reason or ""]
    return "; ".join(piece for piece in pieces if piece)
