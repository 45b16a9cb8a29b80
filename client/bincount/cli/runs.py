"""`bincount runs` and `bincount report`: the training runs of a stage, and the page of one."""

import json
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bincount.cli.shared import JsonOption, ProfileOption, RegionOption, StageOption, progress_screen, screen
from bincount.errors import BincountError
from bincount.experiments.log import log_runs
from bincount.experiments.of_stage import OF_STAGE, open_mlflow
from bincount.models.registry import find, packages
from bincount.models.training_jobs import shown_dollars
from bincount.runs.output import read_output
from bincount.runs.page import (
    FIGURES,
    best_figures,
    interruptions,
    runs_page,
    shown_figure,
    shown_seconds,
)
from bincount.runs.run import Details, Run, find_run, find_runs, read_details, stage_of
from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address

REPORT = "evaluation/report.html"
_STYLES = {"Completed": "green", "Failed": "red", "InProgress": "yellow"}


def runs(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Only these training jobs.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=500, help="The newest so many.")] = 20,
    page: Annotated[
        Path | None, typer.Option("--page", help="Also write an HTML page with curves by epoch.")
    ] = None,
    log_to: Annotated[
        str | None,
        typer.Option(
            "--log-to",
            metavar="MLFLOW",
            help="Also log them into an MLflow: a URL, the ARN of SageMaker's, a folder such as ./mlruns, or "
            "the word stage for the one that the stage's settings name.",
        ),
    ] = None,
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """List and compare training runs: parameters, figures, dataset, cost, the gate's verdict.

    Newest first: the pipeline's trials and the jobs of training/launch.py. The best figure of each column is
    marked. The cost is by list prices; for spot: how often AWS took the instance away, and what was saved.
    """
    target = Stage(stage, region=region, profile=profile)
    found = [find_run(target, name) for name in names] if names else find_runs(target, most=most)
    found.sort(key=lambda run: run.created, reverse=True)
    if as_json:
        for run in found:
            print(json.dumps(run.members()))
    else:
        _print_table(found)
    if page is not None:
        written = runs_page(found, _all_details(target, found), title=f"Training runs of {target.prefix}")
        page.write_text(written, encoding="utf-8")
        progress_screen().print(f"the page is {page}", markup=False, soft_wrap=True)
    if log_to is not None:
        _log(target, found, log_to)


def _log(stage: Stage, found: list[Run], where: str) -> None:
    """Writes to standard error what was logged. Raises BincountError where a run could not be."""
    mlflow = open_mlflow(stage, None if where == OF_STAGE else where)
    done = log_runs(stage, mlflow, found)
    running = f"; {len(done.running)} still run: log them later" if done.running else ""
    words = f"{len(done.logged)} runs are in the MLflow experiment {stage.prefix}{running}"
    progress_screen().print(words, markup=False, soft_wrap=True)
    if done.failed:
        name, why = next(iter(done.failed.items()))
        raise BincountError(f"{len(done.failed)} of {len(found)} runs were not logged; {name}: {why}")


def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A training job, or the number of a registered version.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the page is written (else <RUN>.html here).")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Write and name it, open nothing.")] = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Open the evaluation page of a run in the browser.

    A training job's page is the one that it wrote; its name says the stage. A version's is the gate's: the
    challenger beside the champion.
    """
    if run.isdecimal():
        target = Stage(stage, region=region, profile=profile)
        data = _gate_page(target, int(run))
        path = out or Path(f"{target.prefix}-version-{run}.html")
    else:
        target = Stage(stage_of(run) or stage, region=region, profile=profile)
        data = _training_page(target, find_run(target, run))
        path = out or Path(f"{run}.html")
    path.write_bytes(data)
    print(path.resolve())
    if not no_open and not webbrowser.open(path.resolve().as_uri()):
        raise BincountError(f"no browser could be started: open {path} yourself, or call it with --no-open")


def _gate_page(stage: Stage, version: int) -> bytes:
    package = find(stage, version, packages(stage))
    if not package.report:
        raise BincountError(f"version {version} has no page: no gate evaluated it")
    bucket, key = split_s3_address(package.report)
    return stage.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def _training_page(stage: Stage, run: Run) -> bytes:
    found = read_output(stage, run.output, [REPORT]) if run.output else {}
    if REPORT not in found:
        why = f": {run.job.reason}" if run.job.reason else ""
        raise BincountError(f"{run.name} is {run.job.status} and has written no page{why}")
    return found[REPORT]


def _all_details(stage: Stage, found: list[Run]) -> dict[str, Details]:
    read = {run.name: read_details(stage, run) for run in found}
    return {name: details for name, details in read.items() if details is not None}


def _print_table(found: list[Run]) -> None:
    console = screen()
    if not found:
        console.print("no training run yet: start one with `bincount train --watch`", markup=False)
        return
    flags = ("epochs", "batch-size", "learning-rate")
    table = Table()
    for name in ("run", "status", *flags, *FIGURES.values(), "gate", "cost", "billed", "spot", "dataset"):
        table.add_column(name, overflow="fold", no_wrap=name == "run")  # a name is copied into `report`
    best = best_figures(found)
    for run in found:
        table.add_row(
            Text(run.name),
            Text(run.job.status, style=_STYLES.get(run.job.status, "")),
            *(Text(run.parameters.get(flag, "-")[:8]) for flag in flags),
            *(_figure(run, name, best) for name in FIGURES),
            run.verdict or "-",
            shown_dollars(run.job.cost),
            shown_seconds(run.job.seconds),
            interruptions(run),
            Text(run.dataset or "-"),
        )
    console.print(table)


def _figure(run: Run, name: str, best: dict[str, float]) -> Text:
    value = run.metrics.get(name)
    marked = value is not None and best.get(name) == value
    return Text(f"{shown_figure(name, value)}{' *' if marked else ''}", style="bold" if marked else "")
