"""`bincount propose`: which images a person should look at next."""

import csv
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bincount.cli.errors import OK
from bincount.cli.shared import (
    JsonOption,
    ProfileOption,
    RegionOption,
    StageOption,
    progress_bars,
    screen,
)
from bincount.errors import require_packages
from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage

if TYPE_CHECKING:
    from bincount.propose.propose import Progress as Told
    from bincount.propose.propose import Proposals

_COLUMNS = ("request_id", "count", "answered_at", "counted", "confidence", "low", "high", "score", "image")
_SHOWN = 20


def propose(
    number: Annotated[int, typer.Argument(metavar="N", min=1, max=5_000, help="So many at most.")] = 50,
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write them, for `bincount label --csv`.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR", help="Download their images, too.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="Who looks: others are proposed other images for 12 hours.")
    ] = "",
    days: Annotated[
        int, typer.Option("--days", min=1, max=3_650, help="Of images that were kept since then.")
    ] = 14,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Write down what is proposed, so that others get others.")
    ] = True,
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Name the kept images that a person should look at next: not labelled, no bin twice, least sure first.

    `bincount page` goes through them with the keyboard, and stores each number as a label. The images are
    kept with `capture.inputs` (docs/labels.md).

    Exit status: 0 also where nothing waits.
    """
    require_packages("numpy", "simplejpeg", extra="images", why="read images")
    from bincount.propose.propose import propose as propose_images

    target = Stage(stage, region=region, profile=profile)
    with _progress() as told:
        found = propose_images(target, number, by=by.strip(), days=days, keep=keep, progress=told)
    if images:
        _download(target, found, images)
    if table:
        _write(found, table)
    if as_json:
        for row in found.rows:
            print(json.dumps(row.to_json()))
    else:
        _show(found, table=table, stage=stage)
    raise typer.Exit(OK)


@contextmanager
def _progress() -> Generator["Told"]:
    with progress_bars() as progress:
        task = progress.add_task("listing images", total=None)
        yield lambda doing, done, of: progress.update(task, description=doing, completed=done, total=of)


def _download(stage: Stage, found: "Proposals", folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row in found.rows:
        data = read_if_there(stage.client("s3"), found.bucket, row.kept.image)
        if data is not None:
            (folder / row.kept.file_name).write_bytes(data)


def _write(found: "Proposals", table: Path) -> None:
    """A row each, its count to be filled in."""
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for row in found.rows:
            answer = row.kept.answer
            writer.writerow(
                (
                    row.kept.request_id, "", row.kept.answered_at, answer["count"],
                    answer.get("confidence", ""), *answer.get("interval", ("", "")), f"{row.score:.4f}",
                    f"s3://{found.bucket}/{row.kept.image}",
                )
            )  # fmt: skip


def _show(found: "Proposals", *, table: Path | None, stage: str) -> None:
    console = screen()
    shown = Table("#", "request_id", "answered", "counted", "range", "sure", "score")
    for place, row in enumerate(found.rows[:_SHOWN]):
        answer = row.kept.answer
        low, high = answer.get("interval", ("?", "?"))
        sure = f"{answer['confidence']:.0%}" if "confidence" in answer else "?"
        cells = (str(place + 1), row.kept.request_id, row.kept.answered_at, str(answer["count"]))
        shown.add_row(*cells, f"{low} to {high}", sure, f"{row.score:.2f}")
    if found.rows:
        console.print(shown)
    lines = [
        f"{len(found.rows):,} of {found.waiting:,} images that nobody has labelled",
        f"left out: {found.others:,} that others were proposed, {found.alike:,} of a bin that is proposed or "
        f"labelled already, {found.unreadable:,} that cannot be read",
    ]
    if len(found.rows) > _SHOWN:
        lines.insert(0, f"the first {_SHOWN} are shown; --csv and --json have all")
    if not found.waiting:
        lines = ["no image waits for a person: images are kept with capture.inputs (docs/labels.md)"]
    elif table:
        lines.append(f"written to {table}: fill in the column count, then bincount label --csv {table}")
    elif found.rows:
        lines.append(f"next: bincount page --stage {stage}, and open the queue")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
