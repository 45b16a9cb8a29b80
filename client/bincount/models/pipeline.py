"""Starts the pipeline and follows it: its states, the training jobs of its own tuning, the gate's verdict."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bincount.models.registry import FIGURES
from bincount.models.training_jobs import TrainingJob, jobs_of, shown_dollars, total_cost, tuning_jobs_of
from bincount.stage.execution import Execution, start
from bincount.stage.stage import Stage
from bincount.texts import shortened


def start_pipeline(
    stage: Stage, *, request: Mapping[str, Any] | None = None, field: Mapping[str, Any] | None = None
) -> Execution:
    """Starts it with a data request, or with the stage's own; `field` names images of production besides
    (docs/contracts.md, "The pipeline")."""
    parts = {"request": request, "field": field}
    given = {name: part for name, part in parts.items() if part is not None}
    return start(stage=stage, machine="pipeline", request=json.dumps(given))


def follow_pipeline(
    stage: Stage, execution: Execution, *, looked: Callable[[list[TrainingJob]], None] = lambda _: None
) -> Iterator[str]:
    """Yields what happens, line by line: each state, each training job that has something new; at the end the
    cost by list prices, the verdict and what was registered.

    `looked` gets the training jobs of this run after each look. Raises BincountError with AWS's cause where
    the pipeline does not succeed. Leaving the loop early does not stop it.
    """
    shown: dict[str, str] = {}
    for state in execution.follow():
        if state is not None:
            yield f"state {state}"
            continue
        jobs = own_jobs(stage, execution)
        looked(jobs)
        yield from _news(jobs, shown)
    jobs = own_jobs(stage, execution)
    yield from _news(jobs, shown)
    yield f"training cost by list prices: {shown_dollars(total_cost(jobs))}"
    yield from result_lines(json.loads(execution.output))


def _part_lines(parts: dict[str, Any] | None) -> Iterator[str]:
    """Home and the field by themselves; nothing without images of production."""
    if parts is None:
        return
    for name in ("home", "field"):
        part = parts[name]
        figures = [
            f"{role} accuracy {part[role]['accuracy']:.3f}, rmse {part[role]['rmse']:.3f}"
            for role in ("challenger", "champion")
            if part[role] is not None
        ]
        few = "" if part["decides"] else f"too few to decide, {parts['needed']:,} are needed"
        yield f"  {name}, {part['images']:,} images: {'; '.join(filter(None, [*figures, few]))}"


def own_jobs(stage: Stage, execution: Execution) -> list[TrainingJob]:
    """The training jobs of this run and of no other: by the names of the tuning jobs that it started."""
    return jobs_of(stage, tuning_jobs_of(stage, execution.history))


def _news(jobs: list[TrainingJob], shown: dict[str, str]) -> Iterator[str]:
    """A line for each job that has changed since `shown`, which is brought up to date."""
    for job in jobs:
        line = job.shown()
        if shown.get(job.name) != line:
            shown[job.name] = line
            yield f"  {line}"


def result_lines(result: dict[str, Any]) -> Iterator[str]:
    """What the gate found, what the registry holds now, and whether MLflow has the runs."""
    verdict = result.get("verdict")
    if verdict is not None:
        figures = verdict["challenger"]["metrics"]
        shown = ", ".join(f"{name} {figures[name]:.3f}" for name in FIGURES if figures.get(name) is not None)
        said = "accepted" if verdict["accepted"] else f"rejected: {'; '.join(verdict['reasons'])}"
        yield f"the gate: {shown}; {said}"
        yield from _part_lines(verdict.get("parts"))
    if "model_package" in result:
        yield f"registered {result['model_package']} {result.get('approval', '')}"
    logged = result.get("experiments")
    if logged and "not_logged" in logged:
        yield f"not in MLflow: {shortened(logged['not_logged'], 600)}; later: {logged['later']}"
    elif logged:
        yield f"{logged['logged']} runs are in the MLflow experiment {logged['experiment']}"
