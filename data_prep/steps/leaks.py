"""Rejects a split that leaks: one image, saved twice, in two splits."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from bincount_sources.near import MOST_PAIRS, near_duplicates
from data_prep.errors import LeakingSplit
from data_prep.run import Run, is_field
from data_prep.steps.records import read_records
from data_prep.storage.lines import Line, write_lines
from data_prep.storage.store import exists

LEAKS = "leaks.jsonl.gz"
CHECKED = "leaks-checked.json"
_SHOWN = 5


def check_leaks(run: Run) -> int:
    """How many pairs of near-duplicates are in two splits; asked once a run, and of own sources alone.

    Raises LeakingSplit where there are any and the request does not allow them: the run is abandoned, and
    all pairs (10,000 at most) are in its `leaks.jsonl.gz`.
    """
    if not run.request.source.own:
        return 0
    if exists(run.target, run.key(CHECKED)):
        return int(json.loads(run.target.read(run.key(CHECKED)))["pairs"])
    # What production's images are copies of is settled for each of them (field_copies.py).
    images = [
        _image(record) for record in read_records(run) if "reason" not in record and not is_field(record)
    ]
    found = near_duplicates((image.split, image.dhash) for image in images)
    pairs = [_line(images[pair.first], images[pair.second], pair.bits) for pair in islice(found, MOST_PAIRS)]
    if pairs:
        write_lines(run.target, run.key(LEAKS), pairs)
    if pairs and run.request.source.near_duplicates == "error":
        fault = _fault(run, pairs)
        run.abandon(fault)
        raise LeakingSplit(fault)
    run.target.write(
        run.key(CHECKED), json.dumps({"pairs": len(pairs)}).encode(), content_type="application/json"
    )
    return len(pairs)


def leak_warnings(run: Run) -> Iterator[str]:
    """A sentence for the dataset, where near-duplicates in two splits are allowed and there are some."""
    pairs = check_leaks(run)
    if pairs:
        yield (
            f"{pairs} pair(s) of near-duplicates are in two splits, as the request allows: figures of "
            "validation and test look better than they are; the pairs are in "
            f"{run.target.uri}{run.key(LEAKS)}"
        )


class _Image(NamedTuple):
    name: str
    split: str
    dhash: str


def _image(record: Line) -> _Image:
    return _Image(record["name"], sys.intern(record["split"]), record["dhash"])


def _line(first: _Image, second: _Image, bits: int) -> Line:
    return {first.split: first.name, second.split: second.name, "bits": bits}


def _fault(run: Run, pairs: list[Line]) -> str:
    shown = "; ".join(
        " and ".join(f"{split} {name}" for split, name in pair.items() if split != "bits")
        for pair in pairs[:_SHOWN]
    )
    more = "; …" if len(pairs) > _SHOWN else ""
    return (
        f"no dataset was sealed: {len(pairs)} pair(s) of images are one photograph or nearly, and in two "
        f"splits ({shown}{more}); give both the same group, or leave one out; all are in "
        f"{run.target.uri}{run.key(LEAKS)}"
    )
