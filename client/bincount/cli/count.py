"""`bincount count`: some images, a table or JSON lines."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from bincount.cli.errors import ERROR, of_verdicts
from bincount.cli.shared import (
    ApiOption,
    ConcurrencyOption,
    JsonOption,
    ProfileOption,
    RegionOption,
    StageOption,
    screen,
)
from bincount.counting.answer import Explanation
from bincount.counting.counter import BinCounter, Outcome, Question
from bincount_core.limits import MAX_EXPECTED

_SHADES = " .:*#"
_COLOURS = {"match": "green", "mismatch": "red", "uncertain": "yellow"}


def count(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="JPEG, PNG or WebP files.")],
    expect: Annotated[
        int | None, typer.Option("--expect", min=0, max=MAX_EXPECTED, help="So many objects should be there.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where the model looked: what spoke for the count.")
    ] = False,
    as_json: JsonOption = False,
    stage: StageOption = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
    api_url: ApiOption = None,
    concurrency: ConcurrencyOption = 8,
) -> None:
    """Count the objects in each image.

    Exit status: 0 all counted (and, with --expect, all match), 1 an image was not counted, 3 a mismatch,
    4 no mismatch but one is uncertain.
    """
    with BinCounter(
        stage=stage, region=region, profile=profile, api_url=api_url, concurrency=concurrency
    ) as counter:
        questions = [
            Question(id=str(n), image=path, expected=expect, explain=explain) for n, path in enumerate(images)
        ]
        outcomes = counter.count_many(questions)
        if as_json:
            found = [_print_json(outcome) for outcome in outcomes]
        else:
            found = sorted(outcomes, key=lambda outcome: int(outcome.question.id))
            _print_table(found)
    for outcome in found:
        if outcome.error is not None:
            name, words = str(outcome.question.image), str(outcome.error)
            print(f"error: {words if words.startswith(name) else f'{name}: {words}'}", file=sys.stderr)
    raise typer.Exit(_status(found))


def _status(outcomes: list[Outcome]) -> int:
    if any(outcome.error is not None for outcome in outcomes):
        return ERROR
    answers = [outcome.answer for outcome in outcomes if outcome.answer is not None]
    return of_verdicts(answer.verification.verdict for answer in answers if answer.verification is not None)


def _print_json(outcome: Outcome) -> Outcome:
    """One line as soon as it is there, in the order of completion."""
    members: dict[str, Any] = {"image": str(outcome.question.image)}
    if outcome.answer is not None:
        members |= outcome.answer.to_json()
    if outcome.error is not None:
        members["error"] = {"code": outcome.error.code, "message": str(outcome.error)}
    print(json.dumps(members), flush=True)
    return outcome


def _print_table(outcomes: list[Outcome]) -> None:
    table = Table()
    table.add_column("image", overflow="fold")
    expecting = any(outcome.question.expected is not None for outcome in outcomes)
    asked = ("expected", "verdict") if expecting else ()
    for name in ("count", "confidence", "interval", "review", *asked, "ms"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        table.add_row(*_cells(outcome, expecting=expecting))
    console = screen()
    console.print(table)
    for outcome in outcomes:
        found = outcome.answer.verification if outcome.answer is not None else None
        if found is not None and found.reason:
            words = f"{outcome.question.image}: {found.expected} was expected: {found.reason}"
            console.print(words, markup=False, soft_wrap=True)
    for outcome in outcomes:
        looked = outcome.answer.explanation if outcome.answer is not None else None
        if looked is not None:
            words = "\n".join(_map_lines(looked))
            console.print(f"{outcome.question.image}: {words}", markup=False, highlight=False, soft_wrap=True)


def _map_lines(looked: Explanation) -> list[str]:
    """The map as an image of the bin: the darker a place, the more it spoke for the count."""
    if looked.reason is not None:
        return [looked.reason]
    places = [place for row in looked.map for place in row]
    low, high = min(places), max(places)
    steps = len(_SHADES) / ((high - low) or 1)
    shades = [
        [_SHADES[min(int((place - low) * steps), len(_SHADES) - 1)] for place in row] for row in looked.map
    ]
    # Two signs a place: a sign is about twice as high as it is wide.
    title = f"what spoke for {looked.count}, upright, from little ({_SHADES[0]!r}) to much ({_SHADES[-1]!r})"
    return [title, *("  |" + "".join(2 * shade for shade in row) + "|" for row in shades)]


def _cells(outcome: Outcome, *, expecting: bool) -> list[Text]:
    # File names are Text, never markup: brackets in them mean nothing.
    name = Text(str(outcome.question.image))
    answer = outcome.answer
    if answer is None:
        code = outcome.error.code if outcome.error else ""
        return [name, Text(code, style="red")]
    found = answer.verification
    verdict = [
        Text("" if found is None else str(found.expected)),
        Text("" if found is None else found.verdict, style="" if found is None else _COLOURS[found.verdict]),
    ]
    return [
        name,
        Text(f"{answer.count}{'+' if answer.at_least else ''}", style="bold"),
        Text(f"{answer.confidence:.2f}"),
        Text(f"{answer.interval[0]}-{answer.interval[1]}"),
        Text("yes" if answer.review else ""),
        *(verdict if expecting else []),
        Text(f"{1000 * outcome.seconds:.0f}"),
    ]
