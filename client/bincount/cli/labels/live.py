"""`bincount live`: how good the answers were, by what people counted."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bincount.cli.shared import JsonOption, ProfileOption, RegionOption, StageOption, screen
from bincount.labels.live import FIGURES, Live, image_of, shown
from bincount.labels.live import live as read_live
from bincount.labels.live_page import live_page
from bincount.stage.stage import Stage

_COLUMNS = ("accuracy", "within_one", "rmse", "review_rate")


def live(
    days: Annotated[
        int, typer.Option("--days", min=1, max=3650, help="Days that are shown by themselves.")
    ] = 7,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page.")] = Path("live.html"),
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Show how good the answers were: the nightly join of answers and labels, as a table and a page.

    Exit status: 0 shown, 1 no night has joined yet.
    """
    target = Stage(stage, region=region, profile=profile)
    found = read_live(target, days=days)
    page = live_page(found, stage=target.prefix, image_of=lambda request_id: image_of(target, request_id))
    out.write_text(page, encoding="utf-8")
    if as_json:
        for each in (found.window, *found.days):
            print(json.dumps(each))
        return
    screen().print(_window(found))
    screen().print(_days(found))
    screen().print(f"page: {out}", markup=False, soft_wrap=True)


def _window(found: Live) -> Table:
    window = found.window
    table = Table(title=f"{window['first_day']} to {window['last_day']}, joined on {window['joined_on']}")
    for column in ("model", "figure", "estimate (95 %)", "from"):
        table.add_column(column, overflow="fold")
    for name, model in window["models"].items():
        for figure, words in FIGURES.items():
            of = model["figures"][figure]
            table.add_row(name, words, shown(figure, of), f"{of['labels']:,}")
    return table


def _days(found: Live) -> Table:
    table = Table()
    for column in ("day", "model", "answers", "labels", *(FIGURES[each] for each in _COLUMNS)):
        table.add_column(column, overflow="fold")
    for day in found.days:
        for name, model in day["models"].items():
            figures = [shown(each, model["figures"][each]) for each in _COLUMNS]
            table.add_row(day["day"], name, f"{model['answers']:,}", f"{model['labels']:,}", *figures)
    return table
