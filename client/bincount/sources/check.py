"""What data preparation would take of a folder, and what it would reject, by its own readers."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from bincount.errors import BincountError
from bincount_core.image import ImageFault
from bincount_sources.class_folders import read_class_folders
from bincount_sources.found import BadLabels, Found, Rejected, Row
from bincount_sources.image import check_image
from bincount_sources.names import id_of, spellings
from bincount_sources.near import MOST_PAIRS, near_duplicates
from bincount_sources.read import kind_of_labels, read_labels
from bincount_sources.reasons import Reasons
from bincount_sources.split import SPLITS, split_of_block

_AT_ONCE = 4
_PUBLIC = ("bin-images", "metadata")


@dataclass(frozen=True, kw_only=True)
class Near:
    """One photograph, or nearly, in two splits: (split, name) of both, and how many of 256 bits differ."""

    first: tuple[str, str]
    second: tuple[str, str]
    bits: int


@dataclass(kw_only=True)
class Checked:
    """What would become of a folder. `counts`: images by split and count; `blocks`: over how many blocks they
    are spread; `reasons` sums `rejected` up."""

    rows: int = 0
    blocks: int = 0
    counts: dict[str, Counter[int]] = field(default_factory=lambda: {split: Counter() for split in SPLITS})
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    notes: list[str] = field(default_factory=list[str])
    near: list[Near] = field(default_factory=list[Near])

    @property
    def images(self) -> int:
        """How many would be taken."""
        return sum(counts.total() for counts in self.counts.values())

    @property
    def reasons(self) -> Reasons:
        """The rejected images by their reason."""
        reasons = Reasons()
        for line in self.rejected:
            reasons.add(name=line.name, reason=line.reason, detail=line.detail)
        return reasons


@dataclass(frozen=True)
class _Image:
    row: Row
    split: str
    dhash: str


def check_folder(
    folder: Path,
    *,
    labels: Path | None,
    label_attribute: str | None,
    validation_share: float,
    progress: Callable[[int, int], None],
) -> Checked:
    """Read every image of the rows, as data preparation does. `labels` None: the folder has class folders.

    `progress` is called with how many of how many images are read. Raises BincountError where the folder or
    the labels cannot be read.
    """
    if not folder.is_dir():
        raise BincountError(f"{folder} is not a folder: name the one that holds the images")
    found = _read(folder, labels, label_attribute)
    rows = {id_of(row.name): row for row in found.rows}
    checked = Checked(rows=len(found.rows) + len(found.rejected), rejected=found.rejected, notes=found.notes)
    there = list(_there(folder, [rows[identity] for identity in sorted(rows)], checked.rejected))
    images: list[_Image] = []
    seen: dict[bytes, str] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        look = partial(_look, share=validation_share)
        looked = pool.map(look, [row for row, _ in there], [path for _, path in there])
        for done, ((row, _), (digest, result)) in enumerate(zip(there, looked, strict=True), 1):
            first = seen.setdefault(digest, row.name)
            if first != row.name:
                result = Rejected(row.name, "duplicate", f"the same bytes as {first}")
            if isinstance(result, Rejected):
                checked.rejected.append(result)
            else:
                images.append(result)
            progress(done, len(there))
    for image in images:
        checked.counts[image.split][image.row.count] += 1
    checked.blocks = len({image.row.block for image in images})
    checked.near = list(islice(_near(images), MOST_PAIRS))
    return checked


def _read(folder: Path, labels: Path | None, attribute: str | None) -> Found:
    if labels is None:
        if all((folder / name).is_dir() for name in _PUBLIC):
            raise BincountError(
                f"{folder} has the public layout ({', '.join(_PUBLIC)}): data preparation itself says what "
                "it rejects there; this looks at class folders, or at images with --labels"
            )
        return read_class_folders(_names(folder))
    try:
        content = labels.read_bytes()
        return read_labels(
            content, kind=kind_of_labels(labels.name), attribute=attribute, bucket=None, prefix=""
        )
    except BadLabels as error:
        raise BincountError(f"{labels}: {error}") from error


def _names(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _there(folder: Path, rows: Iterable[Row], rejected: list[Rejected]) -> Iterator[tuple[Row, Path]]:
    """The rows whose image is there, in their order, with its path."""
    for row in rows:
        path = next((folder / name for name in spellings(row.name) if (folder / name).is_file()), None)
        if path is None:
            rejected.append(Rejected(row.name, "missing_image", f"nothing is at {folder / row.name}"))
        else:
            yield row, path


def _look(row: Row, path: Path, *, share: float) -> tuple[bytes, _Image | Rejected]:
    """The digest of an image's bytes, and what becomes of it if no other has the same."""
    data = path.read_bytes()
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    try:
        image = check_image(data)
    except ImageFault as fault:
        return digest, Rejected(row.name, fault.reason, str(fault))
    return digest, _Image(row, split_of_block(row.block, validation_share=share), image.dhash)


def _near(images: list[_Image]) -> Iterator[Near]:
    for pair in near_duplicates((image.split, image.dhash) for image in images):
        first, second = images[pair.first], images[pair.second]
        yield Near(
            first=(first.split, first.row.name), second=(second.split, second.row.name), bits=pair.bits
        )
