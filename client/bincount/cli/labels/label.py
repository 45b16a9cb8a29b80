"""`bincount label`: what a person counted, for one answer or for all of a CSV."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TimeRemainingColumn

from bincount.cli.errors import ERROR, OK
from bincount.cli.shared import (
    JsonOption,
    ProfileOption,
    RegionOption,
    StageOption,
    progress_bars,
    screen,
)
from bincount.errors import BincountError
from bincount.labels.label import Label, Labelled
from bincount.labels.labeller import Labeller, Sent
from bincount.labels.table import read_labels

_NEXT = "next: the label is joined to its captured answer later; to correct it, label it again"


def label(
    request_id: Annotated[
        str | None, typer.Argument(metavar="REQUEST_ID", help="Of an answer: its `request_id`.")
    ] = None,
    count: Annotated[int | None, typer.Argument(metavar="COUNT", help="So many objects were there.")] = None,
    table: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="CSV of request_id,count[,note,by] in place of one."),
    ] = None,
    skip_wrong: Annotated[
        bool, typer.Option("--skip-wrong", help="Of a CSV with wrong rows, send the others.")
    ] = False,
    note: Annotated[str | None, typer.Option("--note", help="What was odd, at most 500 characters.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who counted, at most 100 characters.")] = None,
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
    api_url: Annotated[
        str | None,
        typer.Option("--api-url", envvar="BINCOUNT_API_URL", help="The API (else the stage's own)."),
    ] = None,
) -> None:
    """Say how many objects a person counted in an image that was answered.

    It may be run again: the same label is stored once, and the last one of an answer counts. Of a CSV with
    wrong rows each is named and nothing is sent, or with --skip-wrong the others.

    Exit status: 0 all labels are stored, 1 one is not; a line for each says why.
    """
    labels, wrong = _given(request_id, count, table, note, by, skip_wrong)
    labeller = Labeller(stage=stage, api_url=api_url, region=region, profile=profile)
    if table is None:
        _show([labeller.label(labels[0].request_id, labels[0].count, note=note, by=by)], as_json=as_json)
        if not as_json:
            screen().print(_NEXT, markup=False, soft_wrap=True)
        raise typer.Exit(OK)
    failed = _send(labeller, labels, as_json=as_json)
    stored = len(labels) - failed
    words = f"{stored:,} of {len(labels) + wrong:,} labels are stored"
    if failed or wrong:
        words += ": correct the rows that are named, and run it again: what is stored is not stored twice"
    print(words, file=sys.stderr)
    raise typer.Exit(ERROR if failed or wrong else OK)


def _given(
    request_id: str | None,
    count: int | None,
    table: Path | None,
    note: str | None,
    by: str | None,
    skip_wrong: bool,
) -> tuple[list[Label], int]:
    """The labels of the command line, and how many rows of its CSV are wrong."""
    if table is None:
        if request_id is None or count is None:
            raise typer.BadParameter("name an answer's request_id and the count, or a file with --csv")
        if skip_wrong:
            raise typer.BadParameter("--skip-wrong is for --csv")
        return [Label(request_id=request_id, count=count, note=note, by=by)], 0
    if request_id is not None or note is not None:
        raise typer.BadParameter("with --csv the file has ids, counts and notes: leave those here out")
    found = read_labels(table.read_bytes(), name=str(table), by=by)
    for fault in found.faults:
        print(f"error: {table}: {fault}", file=sys.stderr)
    if found.ignored:
        print(f"note: {table}: these columns are left out: {', '.join(found.ignored)}", file=sys.stderr)
    if found.faults and not skip_wrong:
        raise BincountError(
            f"{table}: {len(found.faults):,} wrong row(s), nothing was sent: correct them, or send the other "
            f"{len(found.labels):,} with --skip-wrong"
        )
    if not found.labels and not found.faults:
        raise BincountError(f"{table} has no row below its column names: write a label into each")
    return found.labels, len(found.faults)


def _send(labeller: Labeller, labels: list[Label], *, as_json: bool) -> int:
    """Sends them with a bar of progress; how many were not stored."""
    failed: list[Sent] = []
    with progress_bars(TimeRemainingColumn(), words="sending labels") as progress:
        task = progress.add_task("", total=len(labels))
        for sent in labeller.label_many(labels):
            progress.advance(task)
            if sent.labelled is None:
                failed.append(sent)
            elif as_json:
                _show([sent.labelled], as_json=True)
    for sent in failed:
        print(f"error: {sent.label.request_id}: {sent.error}", file=sys.stderr)
    return len(failed)


def _show(labelled: Iterable[Labelled], *, as_json: bool) -> None:
    for each in labelled:
        if as_json:
            print(json.dumps(each.to_json()), flush=True)
        else:
            before = "its first label" if each.previous is None else f"before: {each.previous}"
            screen().print(
                f"labelled {each.request_id}: {each.count} ({before})", markup=False, soft_wrap=True
            )
