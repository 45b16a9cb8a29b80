"""Open: from a request to a run with a list of index parts. Cheap, and safe to repeat."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_prep.build import Run, current_attempt, request_key, source_of
from data_prep.errors import BadRequest
from data_prep.request import Request, dataset_id
from data_prep.select.file_list import FileList, parse_file_list
from data_prep.storage.lines import Line, write_json, write_lines
from data_prep.storage.s3_store import S3Store
from data_prep.storage.store import Missing, Store, exists, split_s3_uri

IDS_A_PART = 500
"""Listed ids that one index part reads: two requests each."""

PARTS = "index.json"
LIST_REJECTED = "list-rejected.jsonl.gz"


def open_run(target: Store, request: Request) -> Run:
    """Write down the request and, where there are none yet, the parts for the index step.

    This is the only step that reads the file list: what it names is kept in the parts. A run that was
    abandoned is begun anew.

    Raises BadRequest for a file list that is missing or has another form.
    """
    content = _file_list(request) if request.file_list else None
    digest = None if content is None else hashlib.sha256(content).hexdigest()
    identity = dataset_id(request, file_list_sha256=digest)
    run = Run(
        dataset_id=identity,
        request=request,
        source=source_of(request),
        target=target,
        attempt=current_attempt(target, identity),
    )
    if exists(target, run.key(PARTS)):
        return run
    begun = {"request": request.model_dump(mode="json"), "file_list_sha256": digest}
    write_json(target, request_key(identity), begun)
    listed = FileList(entries=[], rejected=[])
    if content is not None:
        listed = parse_file_list(content, address=str(request.file_list))
    write_lines(target, run.key(LIST_REJECTED), listed.rejected)
    parts = list(_listed_parts(listed)) if content is not None else list(_prefix_parts())
    write_json(target, run.key(PARTS), parts)
    return run


def _file_list(request: Request) -> bytes:
    address = str(request.file_list)
    try:
        if not address.startswith("s3://"):
            return Path(address).read_bytes()
        bucket, key = split_s3_uri(address)
        unsigned = request.source.unsigned and bucket == request.source.bucket
        return S3Store(bucket=bucket, unsigned=unsigned).read(key)
    except (Missing, OSError) as error:
        raise BadRequest(
            f"file_list: there is nothing to read at {address}; give the list's address"
        ) from error


def _listed_parts(listed: FileList) -> Iterator[Line]:
    for number, start in enumerate(range(0, len(listed.entries), IDS_A_PART)):
        yield {"part": f"{number:05d}", "entries": listed.entries[start : start + IDS_A_PART]}


def _prefix_parts() -> Iterator[dict[str, Any]]:
    # In the order of strings ("1" before "10"), so that the parts one after the other are sorted by id.
    for tens in "0123456789":
        yield {"part": tens, "id": tens}
        for ones in "0123456789":
            yield {"part": tens + ones, "prefix": tens + ones}
