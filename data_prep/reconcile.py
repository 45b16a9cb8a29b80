"""Holds the records against the plan, one id at a time."""

from collections.abc import Iterator

from data_prep.errors import NotReconciled
from data_prep.lines import Line, read_lines
from data_prep.plan import PLANNED
from data_prep.records import read_records
from data_prep.run import Run

_SHOWN = 5


def reconcile(run: Run) -> Iterator[Line]:
    """The records, sorted by id. At the end raises NotReconciled unless every planned image had exactly
    one."""
    planned = (item["id"] for item in read_lines(run.target, run.key(PLANNED)))
    missing: list[str] = []
    unplanned: list[str] = []
    expected = next(planned, None)
    for record in read_records(run):
        while expected is not None and expected < record["id"]:
            missing.append(expected)
            expected = next(planned, None)
        if expected == record["id"]:
            expected = next(planned, None)
            yield record
        else:
            unplanned.append(record["id"])
    missing += [] if expected is None else [expected, *planned]
    _raise_if_any(
        run, missing, "were planned but have no record; run arrange for them (the plan step lists them)"
    )
    _raise_if_any(run, unplanned, "have a record but were not planned; take those records away")


def _raise_if_any(run: Run, ids: list[str], fault: str) -> None:
    if ids:
        shown = ", ".join(ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
        raise NotReconciled(f"{run.dataset_id}: {len(ids)} image(s) {fault}: {shown}")
