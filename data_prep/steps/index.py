"""Index: reads the labels and ETags of one part of the source."""

import re
from collections.abc import Iterator
from typing import Any

from bincount_sources.names import is_litter, spellings
from data_prep.run import Run
from data_prep.select.file_list import ID
from data_prep.select.labels import BadLabel, label_of
from data_prep.steps.open_run import rows_key
from data_prep.steps.records import identity_of
from data_prep.storage.lines import Line, read_lines, write_lines
from data_prep.storage.parallel import map_ordered, pipelined
from data_prep.storage.s3_store import BATCHES, CONNECTIONS
from data_prep.storage.store import Info, Later, Missing, exists

_LISTED_SPAN = 8
"""Wanted ids are listed where their numbers are, on average, no further apart than this."""


def index_key(run: Run, part: str) -> str:
    """Where a part's lines are."""
    return run.key(f"index/{part}.jsonl.gz")


def index_all(run: Run, parts: list[dict[str, Any]]) -> Iterator[None]:
    """Index the parts, some at a time; None for each that is done."""
    return map_ordered(lambda part: index(run, part), parts, workers=BATCHES)


def index(run: Run, part: dict[str, Any]) -> None:
    """Write a part's lines, sorted by id; a part that is there already is left alone.

    A line is {id, count, etag, bytes} or a rejection {id, reason, detail}; `listed` is in it where a list
    said another count than the metadata.
    """
    key = index_key(run, part["part"])
    if exists(run.target, key):
        return
    if "rows" in part:
        lines = map_ordered(
            lambda row: _own(run, row),
            read_lines(run.target, rows_key(run, part["part"])),
            workers=CONNECTIONS,
        )
    else:
        lines = _listed(run, part) if "entries" in part else _found(run, part)
    write_lines(run.target, key, lines)


def _own(run: Run, row: Line) -> Line:
    """A row of an own source, or of production, with its image's ETag and size, as class folders were listed
    with them."""
    if "etag" in row:
        return row
    store = run.store_of(row)
    for name in spellings(row["name"]):
        try:
            info = store.info(name)
        except Missing:
            continue
        return row | {"name": name, "etag": info.etag, "bytes": info.bytes}
    detail = f"nothing is at {store.uri}{row['name']}"
    return identity_of(row) | {"reason": "missing_image", "detail": detail[:200]}


def _listed(run: Run, part: dict[str, Any]) -> Iterator[Line]:
    entries = part["entries"]
    images = _images(run, [identity for identity, _ in entries])

    def begin(entry: tuple[str, int]) -> Later[Line]:
        identity, listed = entry
        reading = _begin_line(run, identity, images[identity])

        def wait() -> Line:
            line = reading()
            return line | {"listed": listed} if line.get("count", listed) != listed else line

        return wait

    return pipelined(begin, entries, width=CONNECTIONS)


def _images(run: Run, wanted: list[str]) -> dict[str, Info | None]:
    """Size and ETag of each wanted image; None where it is not there. `wanted` is sorted.

    A listing names 1,000 images a request, wanted or not, but its requests come one after the other. So close
    neighbours are listed, and ids far apart are asked for one by one, many at a time.
    """
    if int(wanted[-1]) - int(wanted[0]) <= _LISTED_SPAN * len(wanted) and len(wanted[0]) == len(wanted[-1]):
        return _listing(run, wanted)
    images = map_ordered(lambda identity: _info(run, identity), wanted, workers=CONNECTIONS)
    return dict(zip(wanted, images, strict=True))


def _listing(run: Run, wanted: list[str]) -> dict[str, Info | None]:
    found: dict[str, Info | None] = dict.fromkeys(wanted)
    # "jpf" sorts just before "jpg": a listing begins after the key that it is given.
    span = int(wanted[-1]) - int(wanted[0]) + 1
    for info in run.source.list("bin-images/", after=f"bin-images/{wanted[0]}.jpf", page=min(span, 1000)):
        identity = info.key.removeprefix("bin-images/").removesuffix(".jpg")
        if identity in found:
            found[identity] = info
        if info.key >= f"bin-images/{wanted[-1]}.jpg":
            break
    return found


def _info(run: Run, identity: str) -> Info | None:
    try:
        return run.source.info(f"bin-images/{identity}.jpg")
    except Missing:
        return None


def _found(run: Run, part: dict[str, Any]) -> Iterator[Line]:
    name = f"{part['id']}." if "id" in part else part["prefix"]
    labels = _names(run, folder="metadata/", start=name, suffix=".json")
    images = _names(run, folder="bin-images/", start=name, suffix=".jpg")

    def begin(identity: str) -> Later[Line]:
        if re.fullmatch(ID, identity) is None:
            detail = "the name is not all digits, 12 at most"
            return lambda: {"id": identity[:100], "reason": "bad_id", "detail": detail}
        if identity not in labels:
            return lambda: {"id": identity, "reason": "missing_metadata"}
        return _begin_line(run, identity, images.get(identity))

    return pipelined(begin, sorted(labels.keys() | images.keys()), width=CONNECTIONS)


def _names(run: Run, *, folder: str, start: str, suffix: str) -> dict[str, Info]:
    found = run.source.list(folder + start)
    return {
        info.key[len(folder) : -len(suffix)]: info
        for info in found
        if info.key.endswith(suffix) and not is_litter(info.key)
    }


def _begin_line(run: Run, identity: str, image: Info | None) -> Later[Line]:
    if image is None:
        return lambda: {"id": identity, "reason": "missing_image"}
    reading = run.source.begin_read(f"metadata/{identity}.json")

    def wait() -> Line:
        try:
            count = label_of(reading())
        except Missing:
            return {"id": identity, "reason": "missing_metadata"}
        except BadLabel as error:
            return {"id": identity, "reason": "bad_metadata", "detail": str(error)[:200]}
        return {"id": identity, "count": count, "etag": image.etag, "bytes": image.bytes}

    return wait
