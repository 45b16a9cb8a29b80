"""Plan: joins the index, rejects duplicates, assigns splits and writes the work that is still to do."""

import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bincount_sources.reasons import Reasons
from data_prep.errors import BadRequest, NotTrainable
from data_prep.report.trainable import require_trainable
from data_prep.run import Run, is_field
from data_prep.select.corrections import Corrections
from data_prep.select.spelling import explain_missing
from data_prep.steps.index import index_all
from data_prep.steps.open_run import LIST_REJECTED, NOTES, PARTS, corrections_of, wrong_corrections
from data_prep.steps.records import read_records, shown_name
from data_prep.steps.selection import Selection
from data_prep.storage.lines import Line, read_json, read_lines, write_json, write_lines
from data_prep.storage.store import Missing, exists

PLANNED = "planned.jsonl.gz"
REJECTED = "rejected.jsonl.gz"
SUMMARY = "plan.json"
WORK_LIST = "work.json"


def plan(run: Run) -> dict[str, Any]:
    """Write the work list (a JSON array of items); answers how many images are planned and how many to do.

    Index parts that the index step did not read are read here. What was planned once stays planned: a
    second run only takes out of the work list what already has a record. Abandons the run and raises
    BadRequest where nothing usable is selected or a correction fits no image, NotTrainable where no model
    can be trained on what is.
    """
    if not exists(run.target, run.key(SUMMARY)):
        _decide(run)
    summary = read_json(run.target, run.key(SUMMARY))
    return {"images": summary["planned"], "to_do": _write_array(run, remaining(run))}


def remaining(run: Run) -> Iterator[Line]:
    """The planned items without a record, sorted by id."""
    done = (record["id"] for record in read_records(run))
    return _without(read_lines(run.target, run.key(PLANNED)), done)


def _decide(run: Run) -> None:
    parts = _parts(run)
    for _ in index_all(run, parts):
        pass
    corrections = Corrections(corrections_of(run))
    selection = Selection(run, [part["part"] for part in parts], corrections)
    write_lines(run.target, run.key(PLANNED), selection.planned())
    list_rejected = list(read_lines(run.target, run.key(LIST_REJECTED)))
    rejected = heapq.merge(list_rejected, selection.rejected, key=lambda line: line["id"])
    write_lines(run.target, run.key(REJECTED), rejected)
    reasons = Reasons()
    for line in [*list_rejected, *selection.rejected]:
        reasons.add(name=shown_name(line), reason=line["reason"], detail=line.get("detail"))
    hints = _hints(run, selection)
    try:
        _require_fitting(run, corrections, rejected=[*list_rejected, *selection.rejected])
        _require_images(run, selection, reasons, hints)
        _require_field(run, selection, rejected=[*list_rejected, *selection.rejected])
        require_trainable(
            selection.counts,
            blocks=len(selection.blocks),
            validation_share=run.request.validation_share,
            own=run.request.source.own,
            hints=hints,
        )
    except (BadRequest, NotTrainable) as error:
        run.abandon(str(error))
        raise
    summary: dict[str, Any] = {
        "planned": selection.images,
        "rejected": reasons.counts.total(),
        "relabelled": selection.relabelled,
        "not_selected": selection.not_selected,
        "warnings": hints,
    }
    if run.request.corrections:
        summary["corrections"] = corrections.actions
    write_json(run.target, run.key(SUMMARY), summary)


def _hints(run: Run, selection: Selection) -> list[str]:
    """What is to be said of labels as a whole, and of a list of which most ids find no image."""
    notes = selection.field_notes()
    if run.request.source.own or run.request.field:
        notes = [*read_json(run.target, run.key(NOTES)), *notes]
    missing = [
        line for line in selection.rejected if line["reason"] == "missing_image" and not is_field(line)
    ]
    if run.request.source.own:
        return [*notes, *_own_hints(run, selection, [line["name"] for line in missing])]
    if run.request.file_list is None or len(missing) <= selection.images:
        return notes
    hint = explain_missing(run, [line["id"] for line in missing])
    return [*notes, f"{len(missing)} listed ids have no image" + (f": {hint}" if hint else "")]


def _own_hints(run: Run, selection: Selection, missing: list[str]) -> list[str]:
    if len(missing) <= selection.images:
        return []
    return [
        f"{len(missing)} rows find no image, the first is {missing[0]!r}: a name is a path below "
        f"{run.source.uri}"
    ]


def _require_fitting(run: Run, corrections: Corrections, *, rejected: list[Line]) -> None:
    faults = corrections.faults(rejected)
    if faults:
        raise wrong_corrections(run, faults)


def _require_images(run: Run, selection: Selection, reasons: Reasons, hints: list[str]) -> None:
    if selection.images:
        return
    found = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.counts.items()))
    if run.request.source.own:
        found = "; ".join(reasons.lines())
    raise BadRequest(
        f"the request selects no usable image of {run.source.uri} ({found or 'nothing was found'}); "
        + "".join(f"{hint}; " for hint in hints)
        + "check source and selection, then start it again"
    )


def _require_field(run: Run, selection: Selection, *, rejected: list[Line]) -> None:
    """A request for what was labelled in production must bring some: training costs the same without."""
    if run.request.field is None or selection.field_images:
        return
    reasons = Reasons()
    for line in filter(is_field, rejected):
        reasons.add(name=shown_name(line), reason=line["reason"], detail=line.get("detail"))
    found = "; ".join([*selection.field_notes(), *reasons.lines()]) or "the table has no row"
    raise BadRequest(
        f"no image of production that {run.request.field.labels} names can be taken ({found}); label some, "
        "or leave field out of the request"
    )


def _parts(run: Run) -> list[dict[str, Any]]:
    try:
        return read_json(run.target, run.key(PARTS))
    except Missing as error:
        raise BadRequest(
            f"{run.target.uri}{run.key(PARTS)} is not there; run the open step with the request first"
        ) from error


def _without(planned: Iterable[Line], done: Iterable[str]) -> Iterator[Line]:
    """The planned items that are not in `done`; both sorted by id."""
    rest = iter(done)
    current = next(rest, None)
    for item in planned:
        while current is not None and current < item["id"]:
            current = next(rest, None)
        if current != item["id"]:
            yield item


def _write_array(run: Run, items: Iterable[Line]) -> int:
    written = 0
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        path = Path(scratch) / "work.json"
        with path.open("w", encoding="utf-8") as file:
            file.write("[")
            for item in items:
                file.write(
                    ("," if written else "") + "\n" + json.dumps(item, sort_keys=True, separators=(",", ":"))
                )
                written += 1
            file.write("\n]\n")
        run.target.write_file(run.key(WORK_LIST), path, content_type="application/json")
    return written
