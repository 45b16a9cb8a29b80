"""The bins that decide: the test images of a dataset, with their true counts."""

import gzip
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.evaluate.errors import EvaluationError

IMAGE = ".jpg"


@dataclass(frozen=True, slots=True)
class Bin:
    """One encoded image, and how many objects it shows."""

    id: str
    count: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Labels:
    """True counts by id; `field` are the ids of production's images, `has_field` says whether the dataset has
    any, in whichever split."""

    counts: dict[str, int]
    field: set[str]
    has_field: bool


def read_labels(manifest: Path) -> Labels:
    """What the lines of `manifest.jsonl.gz` say whose split is `test`.

    Raises EvaluationError where the manifest cannot be read or has no such line.
    """
    labels: dict[str, int] = {}
    field: set[str] = set()
    has_field = False
    try:
        with gzip.open(manifest, "rt", encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                of_field = entry.get("source") == "field"
                has_field |= of_field
                if entry["split"] == "test":
                    labels[entry["id"]] = entry["count"]
                    if of_field:
                        field.add(entry["id"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(f"{manifest}: expected a dataset's manifest, got {error!r}") from error
    if not labels:
        raise EvaluationError(f"{manifest}: no image is in the split `test`: use a dataset that has one")
    return Labels(labels, field, has_field)


def stream_bins(folder: Path, *, labels: dict[str, int]) -> Iterator[Bin]:
    """Every labelled bin below `folder` once, from image files or tar shards; one image in memory at a time.

    Raises EvaluationError at the end where a labelled bin was not there.
    """
    missing = set(labels)
    for path in sorted(folder.rglob("*")):
        for name, data in _images(path, wanted=missing):
            missing.remove(name)
            yield Bin(name, labels[name], data)
    if missing:
        raise EvaluationError(
            f"{folder}: {len(missing)} of the {len(labels)} images of the split `test` are not there "
            f"(the first is {min(missing)}): hand over the prefix that holds them"
        )


def _images(path: Path, *, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    if path.suffix == IMAGE and path.stem in wanted:
        yield path.stem, path.read_bytes()
    elif path.suffix == ".tar":
        try:
            with tarfile.open(path, "r|") as shard:
                for member in shard:
                    file = shard.extractfile(member)
                    if file is not None and member.name.endswith(IMAGE):
                        name = member.name.removesuffix(IMAGE)
                        if name in wanted:
                            yield name, file.read()
        except (tarfile.TarError, EOFError) as error:
            raise EvaluationError(
                f"{path}: expected a tar shard, got what cannot be read: {error}"
            ) from error
