"""`bincount status`: what is deployed, which model serves, health, the last runs, the spend."""

import json

from rich.table import Table
from rich.text import Text

from bincount.cli.options import JsonOption, ProfileOption, RegionOption, StageOption
from bincount.cli.screen import screen
from bincount.stage import Stage
from bincount.stage_status import stage_status

_BAD = ("Failed", "FAILED", "TIMED_OUT", "ABORTED", "ALARM", "OutOfService", "ROLLBACK", "not deployed")


def status(
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Show a stage: what is deployed, what serves, alarms, spend.

    The spend is this month's, estimated from list prices. Exit status 0 also where nothing is deployed yet;
    the table says so.
    """
    found = stage_status(Stage(stage, region=region, profile=profile))
    if as_json:
        print(json.dumps(found))
        return
    table = Table(show_header=False)
    table.add_column("what", style="bold")
    table.add_column("is", overflow="fold")
    for what, value in found.items():
        bad = any(word in value for word in _BAD)
        table.add_row(what, Text(value, style="red" if bad else ""))
    screen().print(table)
