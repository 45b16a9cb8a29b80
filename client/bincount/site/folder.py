"""Counts all images of a folder through the endpoint and writes the site's report."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bincount.counting.counter import BinCounter, Outcome, Question
from bincount.counting.image import read_image
from bincount.errors import UNREACHABLE, BincountError, Refused
from bincount.site.arrangement import Arrangement, arrange
from bincount.site.image_files import is_image
from bincount.site.manifest import Manifest
from bincount.site.report import SiteReport
from bincount.site.row import Row


def arrange_folder(folder: Path, *, manifest: Manifest, own: Iterable[Path] = ()) -> Arrangement:
    """The bins of a folder; an image's id is its path below the folder without its suffix.

    `own` are files and folders of the recount itself, such as its results: they are passed over.
    Raises BincountError where there is no image, or none that the manifest names.
    """
    ours = {path.resolve() for path in own}

    def is_ours(path: Path) -> bool:
        return bool(ours) and not ours.isdisjoint((path.resolve(), *path.resolve().parents))

    found = (path for path in files_below(folder) if is_image(path.name) or not is_ours(path))
    files = ((path.relative_to(folder).as_posix(), 0) for path in found)
    return arrange(files, manifest=manifest, where=str(folder), image_of=lambda name: str(folder / name))


def recount_folder(
    folder: Path,
    *,
    arrangement: Arrangement,
    counter: BinCounter,
    manifest: Manifest,
    report: SiteReport,
    progress: Callable[[Row], None],
) -> None:
    """Asks for every image and puts a row of each bin into `report`, in the order of `arrangement`.

    `progress` is called with each row as it is answered, in the order of completion. Rows that were answered
    before an earlier one wait for it in memory. Raises BincountError where nobody answers to the first image.
    """
    ready: dict[str, Row] = {}
    order = iter(arrangement.bins)
    waiting = next(order, None)

    def questions() -> Iterator[Question]:
        for bin in arrangement.bins:
            if bin.row is None:
                yield Question(id=bin.id, image=folder / bin.name, expected=manifest.expected.get(bin.id))

    def write_what_is_ready() -> None:
        nonlocal waiting
        while waiting is not None:
            row = waiting.row or ready.pop(waiting.id, None)
            if row is None:
                return
            report.add(replace(row, others=manifest.others.get(row.id, ())))
            waiting = next(order, None)

    reached = False
    for outcome in counter.count_many(questions()):
        row = row_of(outcome)
        reached = reached or row.error != UNREACHABLE
        if not reached:
            raise BincountError(str(outcome.error))
        ready[row.id] = row
        progress(row)
        write_what_is_ready()
    write_what_is_ready()


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, in the order of names; links to folders are not followed."""
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(where, name)


def row_of(outcome: Outcome) -> Row:
    """The row of one outcome."""
    question = outcome.question
    image = str(question.image) if isinstance(question.image, Path) else None
    if outcome.answer is not None:
        return Row.of_answer(outcome.answer, id=question.id, image=image)
    assert outcome.error is not None
    code, message = outcome.error.code, str(outcome.error)
    return Row.of_error(code, message, id=question.id, image=image, expected=question.expected)


def image_in_folder(row: Row) -> bytes | None:
    """The image of a row."""
    try:
        return None if row.image is None else read_image(Path(row.image))
    except Refused:
        return None  # it was there when it was counted; the page does without it
