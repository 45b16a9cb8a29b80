"""Counts all images of a folder through the endpoint and writes the site's report."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bincount.counter import BinCounter
from bincount.errors import Refused
from bincount.image import SUFFIXES, read_image
from bincount.question import Outcome, Question
from bincount.site.manifest import image_id
from bincount.site.report import SiteReport
from bincount.site.row import Row


def recount_folder(
    folder: Path,
    *,
    counter: BinCounter,
    expected: Mapping[str, int],
    report: SiteReport,
    progress: Callable[[Row], None],
) -> None:
    """Asks for every image below `folder` and puts a row of each into `report`, in the order of completion.

    An image's id is its path below the folder without its suffix. Ids of `expected` that have no image, and
    images whose id another one has (a.jpg, a.png), become rows with an error.
    """
    seen: set[str] = set()
    doubles: list[Row] = []

    def questions() -> Iterator[Question]:
        for path in images_below(folder):
            identity = image_id(path.relative_to(folder).as_posix())
            if identity in seen:
                doubles.append(duplicate(identity, image=str(path), expected=expected.get(identity)))
                continue
            seen.add(identity)
            yield Question(id=identity, image=path, expected=expected.get(identity))

    for outcome in counter.count_many(questions()):
        _add(row_of(outcome), report, progress)
    for row in doubles:
        _add(row, report, progress)
    for identity in sorted(expected.keys() - seen):
        _add(no_image(identity, expected=expected[identity]), report, progress)


def images_below(folder: Path) -> Iterator[Path]:
    """Every image file below `folder`, by its suffix, in the order of names; links are not followed."""
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES):
                yield Path(where, name)


def row_of(outcome: Outcome) -> Row:
    """The row of one outcome."""
    question = outcome.question
    image = str(question.image) if isinstance(question.image, Path) else None
    if outcome.answer is not None:
        return Row.of_answer(outcome.answer, id=question.id, image=image)
    assert outcome.refusal is not None
    code, message = outcome.refusal.code, str(outcome.refusal)
    return Row.of_error(code, message, id=question.id, image=image, expected=question.expected)


def no_image(identity: str, *, expected: int) -> Row:
    """A consignment that nobody photographed."""
    message = "the manifest names this id, but there is no image of it"
    return Row.of_error("no_image", message, id=identity, image=None, expected=expected)


def duplicate(identity: str, *, image: str, expected: int | None) -> Row:
    """A second image of an id."""
    message = f"{image}: another image has the same id: rename one of them"
    return Row.of_error("duplicate_id", message, id=identity, image=image, expected=expected)


def picture_in_folder(row: Row) -> bytes | None:
    """The image of a row."""
    try:
        return None if row.image is None else read_image(Path(row.image))
    except Refused:
        return None  # it was there when it was counted; the page does without it


def _add(row: Row, report: SiteReport, progress: Callable[[Row], None]) -> None:
    report.add(row)
    progress(row)
