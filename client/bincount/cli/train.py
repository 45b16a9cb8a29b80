"""`bincount train`: start the pipeline and follow it."""

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.progress import TimeElapsedColumn

from bincount.cli.shared import ProfileOption, RegionOption, StageOption, progress_bars, screen
from bincount.errors import BincountError
from bincount.labels.labelled import labelled_images, upload
from bincount.models.pipeline import follow_pipeline, start_pipeline
from bincount.models.training_jobs import TrainingJob, shown_dollars, total_cost
from bincount.stage.execution import Execution
from bincount.stage.stage import Stage


def train(
    request: Annotated[
        Path | None, typer.Option("--request", help="JSON file with a data request (else the stage's own).")
    ] = None,
    field: Annotated[
        bool, typer.Option("--field", help="Learn from what people labelled in production, too.")
    ] = False,
    field_weight: Annotated[
        float | None,
        typer.Option(min=1, max=10, help="How many times such an image counts (else the stage's setting)."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Prepare data, train, tune, gate and register: start the pipeline.

    With --watch it prints each state, each training job with its metrics, and the cost so far (list prices).
    With --field the last labels and the kept images are joined and put into the bucket (docs/labels.md).
    Ctrl-C ends the watching, not the training. Exit status 1 where the pipeline fails, and where no image of
    production is labelled.
    """
    if field_weight is not None and not field:
        raise BincountError("--field-weight weighs images of production: give --field, too")
    target = Stage(stage, region=region, profile=profile)
    given = _read(request)
    console = screen()
    production = _field(console, target, field_weight) if field else None
    execution = start_pipeline(target, request=given, field=production)
    console.print(f"started {execution.arn}", markup=False, soft_wrap=True)
    if watch:
        _watch(console, target, execution)


def _field(console: Console, stage: Stage, weight: float | None) -> dict[str, Any]:
    """What is labelled now, uploaded; the pipeline's `field`."""
    found = labelled_images(stage)
    upload(stage, found)
    console.print(
        f"{len(found.rows):,} labelled images of production; {found.without_image:,} labels have no image",
        markup=False,
        soft_wrap=True,
    )
    return found.field() | ({} if weight is None else {"weight": weight})


def _read(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise BincountError(f"{path}: not JSON ({error}): write it as docs/contracts.md has it") from error
    if not isinstance(document, dict):
        raise BincountError(f"{path}: expected a JSON object (docs/contracts.md, Pipeline)")
    return cast("dict[str, Any]", document)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for name, value in pairs:
        if name in built:
            raise ValueError(f"{name!r} is there twice")
        built[name] = value
    return built


def _watch(console: Console, stage: Stage, execution: Execution) -> None:
    with progress_bars(TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("starting", total=None)

        def looked(jobs: list[TrainingJob]) -> None:
            done = sum(job.ended for job in jobs)
            words = f"training jobs, {shown_dollars(total_cost(jobs))} so far"
            progress.update(task, description=words, completed=done, total=len(jobs) or None)

        for line in follow_pipeline(stage, execution, looked=looked):
            progress.console.print(line, markup=False, soft_wrap=True)
