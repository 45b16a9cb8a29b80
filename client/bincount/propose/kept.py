"""Kept images of a stage's bucket: which wait for a label, and what each was answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from bincount.counting.stream import stream
from bincount.stage.objects import listed_below, read_if_there

IMAGES, HISTORY = "images/", "label-history/"
_ABOUT = "/answer.json"
WORKERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptImage:
    """An answer whose image was kept; `image` is its key, `answer` as answer.schema.json has it."""

    request_id: str
    image: str
    answered_at: str
    answer: dict[str, Any]

    @property
    def file_name(self) -> str:
        """A name for the image in a folder."""
        return quote(self.request_id, safe="") + self.image[self.image.rindex(".") :]

    @property
    def probabilities(self) -> dict[int, float]:
        """Of each count, as it was answered; empty where an older server said none."""
        return {int(count): float(p) for count, p in self.answer.get("probabilities", {}).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Folders of images/ by whether somebody has labelled them, the newest first."""

    unlabelled: list[str]
    labelled: list[str]


def list_kept(s3: Any, bucket: str, *, since: datetime) -> Listed:
    """What was kept since then; a folder's name is its request id, quoted."""
    kept: dict[str, datetime] = {
        each["Key"].split("/")[1]: each["LastModified"]
        for each in listed_below(s3, bucket, IMAGES)
        if each["Key"].endswith(_ABOUT) and each["LastModified"] >= since
    }
    known = {each["Key"].split("/")[1] for each in listed_below(s3, bucket, HISTORY)} if kept else set[str]()
    newest = sorted(kept, key=lambda name: (kept[name], name), reverse=True)
    return Listed(
        unlabelled=[name for name in newest if name not in known],
        labelled=[name for name in newest if name in known],
    )


def read_kept(
    s3: Any, bucket: str, names: Iterable[str], *, known: dict[str, KeptImage]
) -> Iterator[KeptImage]:
    """Each folder's image with its answer, in any order; one that was deleted meanwhile is left out.

    What is `known` is not read again, and what is read is added to it.
    """

    def read(name: str) -> KeptImage | None:
        if name in known:
            return known[name]
        data = read_if_there(s3, bucket, f"{IMAGES}{name}{_ABOUT}")
        if data is None:
            return None
        about = json.loads(data)
        known[name] = KeptImage(
            request_id=unquote(name),
            image=f"{IMAGES}{name}/{about['image']}",
            answered_at=about["answered_at"],
            answer=about["answer"],
        )
        return known[name]

    return (each for each in stream(read, names, workers=WORKERS) if each is not None)
