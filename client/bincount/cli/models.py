"""`bincount models`: the registry; `approve` and `reject` decide what may serve."""

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bincount.cli.options import JsonOption, ProfileOption, RegionOption, StageOption
from bincount.cli.screen import screen
from bincount.registry import METRICS, Approval, ModelPackage, decide, packages
from bincount.stage import Stage

models = typer.Typer(
    help="List the registered models; approve or reject one.", rich_markup_mode=None, add_completion=False
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
    """List all versions, newest first, with the metrics of images that chose nothing (report)."""
    if context.invoked_subcommand is not None:
        return
    target = Stage(stage, region=region, profile=profile)
    serving = target.client("ssm").get_parameter(Name=target.parameter("model"))["Parameter"]["Value"]
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
    """Approve a version: the release brings it to the endpoint."""
    _decide(Stage(stage, region=region, profile=profile), version, "Approved", note)


@models.command()
def reject(
    version: VersionArgument,
    note: NoteOption = "rejected with bincount",
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Reject a version; what serves goes on serving."""
    _decide(Stage(stage, region=region, profile=profile), version, "Rejected", note)


def _decide(stage: Stage, version: int, approval: Approval, note: str) -> None:
    package = decide(stage, version=version, approval=approval, note=note)
    following = (
        f"the release has been started: `bincount status --stage {stage.name}`"
        if approval == "Approved"
        else "nothing else changes"
    )
    screen().print(f"version {package.version} is {approval}; {following}", markup=False)


def _members(package: ModelPackage, serving: str) -> dict[str, object]:
    return {
        "version": package.version,
        "approval": package.approval,
        "created": package.created.isoformat(),
        "serves": package.model_data == serving,
        "metrics": package.metrics,
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
    for name in ("version", "approval", "accuracy", "within one", "RMSE", "registered", "training job", ""):
        table.add_column(name, justify="right" if name in ("version", "RMSE") else "left")
    for package in found:
        accuracy, within, rmse = (package.metrics.get(name) for name in METRICS)
        table.add_row(
            str(package.version),
            Text(package.approval, style=_STYLES.get(package.approval, "")),
            "-" if accuracy is None else f"{accuracy:.1%}",
            "-" if within is None else f"{within:.1%}",
            "-" if rmse is None else f"{rmse:.3f}",
            f"{package.created:%Y-%m-%d %H:%M}",
            Text(package.training_job or "-"),
            "serves" if package.model_data == serving else "",
        )
    console.print(table)
