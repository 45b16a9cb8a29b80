"""`bincount status`: what is deployed, which model serves, health, the last runs, the spend."""

import json

import typer
from rich.table import Table
from rich.text import Text

from bincount.cli.errors import DEGRADED, OK
from bincount.cli.shared import JsonOption, ProfileOption, RegionOption, StageOption, screen
from bincount.stage.stage import Stage
from bincount.stage.status import stage_status

_BAD = (
    "Failed",
    "FAILED",
    "TIMED_OUT",
    "ABORTED",
    "ALARM",
    "OutOfService",
    "ROLLBACK",
    "not deployed",
    "degraded",
)


def status(
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Show a stage: what is deployed, what serves, the last runs, alarms, spend.

    The spend is this month's, estimated from list prices. Exit status: 0 all is well, 1 it could not be
    looked at, 5 the stage is not deployed or degraded; the first line says why.
    """
    target = Stage(stage, region=region, profile=profile)
    found = stage_status(target)
    where = f"{target.prefix} in {target.region}"
    lines = {"state": found.state, **found.lines}
    if as_json:
        print(json.dumps(lines))
    else:
        _print_table(where, lines, well=found.is_well)
    raise typer.Exit(OK if found.is_well else DEGRADED)


def _print_table(where: str, lines: dict[str, str], *, well: bool) -> None:
    table = Table(show_header=False)
    table.add_column("what", style="bold")
    table.add_column("is", overflow="fold")
    for what, value in lines.items():
        bad = not well and any(word in value for word in _BAD)
        table.add_row(
            f"{what} of {where}" if what == "state" else what, Text(value, style="red" if bad else "")
        )
    screen().print(table)
