"""Open: from a request to a run with a list of index parts. Cheap, and safe to repeat."""

import hashlib
from collections.abc import Iterator
from typing import Any

from data_prep.errors import BadRequest
from data_prep.request import Request, dataset_id
from data_prep.run import Run, current_attempt, field_of, request_key, source_of
from data_prep.select.corrections import parse_corrections
from data_prep.select.file_list import FileList, parse_file_list
from data_prep.select.own_rows import read_document, read_field_rows, read_own_rows
from data_prep.storage.lines import Line, read_lines, write_json, write_lines
from data_prep.storage.parallel import map_ordered
from data_prep.storage.s3_store import CONNECTIONS
from data_prep.storage.store import Store, exists

IDS_A_PART = 500
"""Listed ids that one index part reads: two requests each."""

PARTS = "index.json"
FIELD_PART = "field-"
"""What the names of parts of production's images begin with."""
CORRECTIONS = "corrections.jsonl.gz"
CORRECTION_FAULTS = "correction-faults.jsonl.gz"
LIST_REJECTED = "list-rejected.jsonl.gz"
NOTES = "notes.json"
_SHOWN = 30


def open_run(target: Store, request: Request) -> Run:
    """Write down the request and, where there are none yet, the parts for the index step.

    This is the only step that reads the file list, the labels, the corrections, or class folders' names: what
    they name is kept in the parts, or beside them. A run that was abandoned is begun anew.

    Raises BadRequest for a file list, labels or corrections that are missing or have another form.
    """
    source = source_of(request)
    own = read_own_rows(request, source=source, target=target) if request.source.own else None
    content = None
    if request.file_list:
        content = read_document(request.file_list, name="file_list", request=request)
    digest = own.digest if own else None if content is None else hashlib.sha256(content).hexdigest()
    corrections = None
    if request.corrections:
        corrections = read_document(request.corrections, name="corrections", request=request)
    corrections_digest = None if corrections is None else hashlib.sha256(corrections).hexdigest()
    field = read_field_rows(request) if request.field else None
    identity = dataset_id(
        request,
        file_list_sha256=digest,
        corrections_sha256=corrections_digest,
        field_sha256=field.digest if field else None,
    )
    run = Run(
        dataset_id=identity,
        request=request,
        source=source,
        field=field_of(request),
        target=target,
        attempt=current_attempt(target, identity),
    )
    if exists(target, run.key(PARTS)):
        return run
    begun = {"request": request.model_dump(mode="json"), "file_list_sha256": digest}
    if field:
        begun["field_sha256"] = field.digest
    if corrections is not None:
        begun["corrections_sha256"] = corrections_digest
        _keep_corrections(run, corrections)
    write_json(target, request_key(identity), begun)
    listed = FileList(entries=[], rejected=[])
    if content is not None:
        listed = parse_file_list(content, address=str(request.file_list))
    rejected = own.rejected if own else listed.rejected
    if field:
        rejected = sorted([*rejected, *field.rejected], key=lambda line: line["id"])
    write_lines(target, run.key(LIST_REJECTED), rejected)
    if own or field:
        notes = [*(own.notes if own else []), *(f"field: {note}" for note in (field.notes if field else []))]
        write_json(target, run.key(NOTES), notes)
    if own:
        parts = list(_rows_parts(run, own.rows))
    else:
        parts = list(_listed_parts(listed)) if content is not None else list(_prefix_parts())
    if field:
        parts += _rows_parts(run, field.rows, name=FIELD_PART)
    write_json(target, run.key(PARTS), parts)
    return run


def corrections_of(run: Run) -> list[Line]:
    """The rows of the run's corrections file; none where it has no such file."""
    return list(read_lines(run.target, run.key(CORRECTIONS))) if run.request.corrections else []


def wrong_corrections(run: Run, faults: list[str]) -> BadRequest:
    """The error of rows that cannot be followed; all of them are written down beside the run's work."""
    key = run.key(CORRECTION_FAULTS)
    write_lines(run.target, key, ({"fault": fault} for fault in faults))
    shown = "; ".join(faults[:_SHOWN]) + ("; …" if len(faults) > _SHOWN else "")
    return BadRequest(
        f"{len(faults)} wrong row(s) in the corrections {run.request.corrections}: {shown}; all are in "
        f"{run.target.uri}{key}"
    )


def _keep_corrections(run: Run, content: bytes) -> None:
    rows, faults = parse_corrections(content, address=str(run.request.corrections))
    if faults:
        raise wrong_corrections(run, faults)
    write_lines(run.target, run.key(CORRECTIONS), rows)


def rows_key(run: Run, part: str) -> str:
    """Where the rows of a part are, of an own source."""
    return run.key(f"rows/{part}.jsonl.gz")


def _rows_parts(run: Run, rows: list[Line], *, name: str = "") -> Iterator[Line]:
    """Write the rows, a file a part: half a million names are too much for one list of parts."""
    starts = range(0, len(rows), IDS_A_PART)

    def put(number: int) -> Line:
        part, start = f"{name}{number:05d}", starts[number]
        some = rows[start : start + IDS_A_PART]
        write_lines(run.target, rows_key(run, part), some)
        return {"part": part, "rows": len(some)}

    return map_ordered(put, range(len(starts)), workers=CONNECTIONS)


def _listed_parts(listed: FileList) -> Iterator[Line]:
    for number, start in enumerate(range(0, len(listed.entries), IDS_A_PART)):
        yield {"part": f"{number:05d}", "entries": listed.entries[start : start + IDS_A_PART]}


def _prefix_parts() -> Iterator[dict[str, Any]]:
    # In the order of strings ("1" before "10"), so that the parts one after the other are sorted by id.
    for tens in "0123456789":
        yield {"part": tens, "id": tens}
        for ones in "0123456789":
            yield {"part": tens + ones, "prefix": tens + ones}
