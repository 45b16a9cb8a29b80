"""The records of arranged images: a file a batch, read back as one list sorted by id."""

import hashlib
import heapq
from collections import deque
from collections.abc import Iterator
from typing import Any

from data_prep.errors import NotReconciled
from data_prep.run import ORIGIN, Run
from data_prep.storage.lines import Line, read_files, write_lines

FOLDER = "records/"


def write_records(run: Run, records: list[Line]) -> None:
    """Write a batch's records. The name follows from its ids: a batch delivered twice overwrites itself."""
    records = sorted(records, key=lambda record: record["id"])
    digest = hashlib.sha256("\n".join(record["id"] for record in records).encode()).hexdigest()[:16]
    write_lines(run.target, run.key(f"{FOLDER}{records[0]['id']}-{digest}.jsonl.gz"), records)


def identity_of(line: Line) -> Line:
    """What names an image in lists of rejected ones: its id, its name where the source is an own one, and
    whether it is one of production."""
    return {field: line[field] for field in ("id", "name", ORIGIN) if field in line}


def shown_name(line: Line) -> str:
    """The same in one word, for people."""
    return line.get("name", line["id"])


def read_records(run: Run) -> Iterator[Line]:
    """All records sorted by id, each id once.

    Batches are runs of sorted ids, and their names begin with their first id, so only those that overlap
    are held. Two records of one id must be the same (the batch was delivered twice); else the run is
    abandoned: raises NotReconciled.
    """
    last: Line | None = None
    for record in _merged(run):
        if last is None or record["id"] != last["id"]:
            yield record
        elif record != last:
            fault = f"two records of image {record['id']} differ ({last} and {record})"
            run.abandon(fault)
            raise NotReconciled(
                f"{fault}; the source changed while it was read; start it again, it begins anew"
            )
        last = record


def _merged(run: Run) -> Iterator[Line]:
    prefix = run.key(FOLDER)
    keys = [info.key for info in run.target.list(prefix)]
    first_ids = deque(key.removeprefix(prefix).split("-")[0] for key in keys)
    files = read_files(run.target, keys)
    heap: list[tuple[str, int, Line, Iterator[Line]]] = []
    number = 0

    def push(lines: Iterator[Line]) -> None:
        nonlocal number
        line: Any = next(lines, None)
        if line is not None:
            number += 1
            heapq.heappush(heap, (line["id"], number, line, lines))

    while first_ids or heap:
        while first_ids and (not heap or first_ids[0] <= heap[0][0]):
            first_ids.popleft()
            push(next(files))
        _, _, line, lines = heapq.heappop(heap)
        yield line
        push(lines)
