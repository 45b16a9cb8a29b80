"""`bincount models`: the registry; `approve`, `rollback` and `reject` decide what serves."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bincount.cli.shared import JsonOption, ProfileOption, RegionOption, StageOption, screen
from bincount.models import release
from bincount.models.registry import ModelPackage, decide, find, packages, serving_model
from bincount.stage.stage import Stage

models = typer.Typer(
    help="List the registered models; approve or reject one, or go back to one.",
    rich_markup_mode=None,
    add_completion=False,
)
NoteOption = Annotated[str, typer.Option("--note", max=1024, help="Why; kept in the registry.")]
VersionArgument = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="The model's version.")]
_STYLES = {"Approved": "green", "Rejected": "red", "PendingManualApproval": "yellow"}


@models.callback(invoke_without_command=True)
def list_models(
    context: typer.Context,
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """List all versions, newest first, with the gate's figures (of images that chose nothing)."""
    if context.invoked_subcommand is not None:
        return
    target = Stage(stage, region=region, profile=profile)
    serving = serving_model(target)
    found = packages(target)
    if as_json:
        for package in found:
            print(json.dumps(_members(package, serving)))
    else:
        _print_table(found, serving)


@models.command()
def approve(
    version: VersionArgument,
    note: NoteOption = "approved with bincount",
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Approve a version and follow its release to the end.

    Ctrl-C ends the following, not the release. Exit status: 0 the version serves, 1 it does not; one line
    says why.
    """
    _print_lines(release.approve(Stage(stage, region=region, profile=profile), version=version, note=note))


@models.command()
def rollback(
    version: VersionArgument,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Let an older approved version serve again.

    Newer approved versions become Rejected. Ctrl-C ends the following, not the rollback. Exit status: 0 the
    version serves, 1 it does not; one line says why.
    """
    _print_lines(release.rollback(Stage(stage, region=region, profile=profile), version=version))


@models.command()
def reject(
    version: VersionArgument,
    note: NoteOption = "rejected with bincount",
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Reject a version; what serves goes on serving."""
    target = Stage(stage, region=region, profile=profile)
    serving = serving_model(target)
    package = find(target, version, packages(target))
    after = decide(target, package, approval="Rejected", note=note)
    serves = package.model_data == serving
    more = "; it serves on: `bincount models rollback` or `approve` lets another serve" if serves else ""
    screen().print(f"version {version} is {after.approval}{more}", markup=False, soft_wrap=True)


def _print_lines(lines: Iterator[str]) -> None:
    console = screen()
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _members(package: ModelPackage, serving: str) -> dict[str, object]:
    return {
        "version": package.version,
        "approval": package.approval,
        "created": package.created.isoformat(),
        "serves": package.model_data == serving,
        "gate": package.gate,
        "figures": package.figures,
        "report": package.report,
        "reason": package.reason,
        "training_job": package.training_job,
        "dataset": package.dataset,
        "model_data": package.model_data,
    }


def _print_table(found: list[ModelPackage], serving: str) -> None:
    console = screen()
    if not found:
        console.print("no model is registered yet: train one with `bincount train --watch`", markup=False)
        return
    table = Table()
    for name in (
        "version",
        "approval",
        "gate",
        "accuracy",
        "within one",
        "RMSE",
        "registered",
        "training job",
        "",
    ):
        table.add_column(name, justify="right" if name in ("version", "RMSE") else "left")
    for package in found:
        accuracy, within, rmse = (package.figures.get(name) for name in ("accuracy", "within_one", "rmse"))
        table.add_row(
            str(package.version),
            Text(package.approval, style=_STYLES.get(package.approval, "")),
            package.gate or "none",
            "-" if accuracy is None else f"{accuracy:.1%}",
            "-" if within is None else f"{within:.1%}",
            "-" if rmse is None else f"{rmse:.3f}",
            f"{package.created:%Y-%m-%d %H:%M}",
            Text(package.training_job or "-"),
            "serves" if package.model_data == serving else "",
        )
    console.print(table)
