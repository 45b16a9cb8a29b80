"""Holds the records against the plan, one id at a time."""

from collections.abc import Iterator

from data_prep.errors import NotReconciled
from data_prep.run import Run
from data_prep.steps.field_copies import field_copies
from data_prep.steps.plan import PLANNED
from data_prep.steps.records import identity_of, read_records
from data_prep.storage.lines import Line, read_lines
from data_prep.storage.store import Missing

_SHOWN = 5


def reconcile(run: Run) -> Iterator[Line]:
    """The records, sorted by id; those of copies among production's images are rejections. At the end raises
    NotReconciled unless every planned image had exactly one; with records that nothing planned the run is
    abandoned."""
    planned = _planned(run)
    copies = field_copies(run)
    missing: list[str] = []
    unplanned: list[str] = []
    expected = next(planned, None)
    for record in read_records(run):
        while expected is not None and expected < record["id"]:
            missing.append(expected)
            expected = next(planned, None)
        if expected == record["id"]:
            expected = next(planned, None)
            fault = copies.get(record["id"])
            yield identity_of(record) | fault if fault else record
        else:
            unplanned.append(record["id"])
    missing += [] if expected is None else [expected, *planned]
    if unplanned:
        fault = _fault(run, unplanned, "have a record but were not planned; start it again, it begins anew")
        run.abandon(fault)
        raise NotReconciled(fault)
    if missing:
        remedy = "run arrange for them (the plan step lists them)"
        raise NotReconciled(_fault(run, missing, f"were planned but have no record; {remedy}"))


def _planned(run: Run) -> Iterator[str]:
    try:
        return (item["id"] for item in read_lines(run.target, run.key(PLANNED)))
    except Missing as error:
        raise NotReconciled(
            f"{run.dataset_id}: {run.target.uri}{run.key(PLANNED)} is not there; run the plan step first"
        ) from error


def _fault(run: Run, ids: list[str], fault: str) -> str:
    shown = ", ".join(ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
    return f"{run.dataset_id}: {len(ids)} image(s) {fault}: {shown}"
