"""The rows of a user's own source, as the open step reads them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bincount_sources.class_folders import read_class_folders
from bincount_sources.found import BadLabels, Found, Rejected
from bincount_sources.names import id_of, is_litter
from bincount_sources.read import read_labels
from data_prep.errors import BadRequest
from data_prep.request import Request
from data_prep.run import FIELD, ORIGIN
from data_prep.storage.directory_store import DirectoryStore
from data_prep.storage.lines import Line
from data_prep.storage.s3_store import S3Store
from data_prep.storage.store import Info, Missing, Store, split_s3_uri


@dataclass(frozen=True, kw_only=True)
class OwnRows:
    """`rows`: {id, name, count, block}, in class folders with etag and bytes; `rejected`: {id, name, reason,
    detail}; both sorted by id. `digest` changes with what they were read from."""

    rows: list[Line]
    rejected: list[Line]
    notes: list[str]
    digest: str


def read_own_rows(request: Request, *, source: Store, target: Store) -> OwnRows:
    """Read the labels file, or list the class folders. Raises BadRequest where there is nothing to read."""
    if request.source.has_labels:
        content = read_document(str(request.source.labels), name="labels", request=request)
        return _own_rows(_labels(content, request), {}, hashlib.sha256(content))
    _require_apart(source, target)
    infos = {info.key: info for info in source.list("") if not is_litter(info.key)}
    digest = hashlib.sha256()
    for info in infos.values():
        digest.update(f"{info.key}\0{info.etag}\n".encode("utf-8", "surrogateescape"))
    return _own_rows(read_class_folders(infos), infos, digest)


def read_field_rows(request: Request) -> OwnRows:
    """The rows of the labels of production. Raises BadRequest where there is nothing to read.

    Their ids are of the name with a word before it: home may have an image of the same name. Each has
    `order`, its place in the table, which `bincount labelled` writes in the order of time.
    """
    field = request.field
    assert field is not None, "asked for requests with a field source alone"
    content = read_document(field.labels, name="field.labels", request=request)
    try:
        found = read_labels(content, kind="table", attribute=None, bucket=field.bucket, prefix=field.prefix)
    except BadLabels as error:
        raise BadRequest(f"field.labels {field.labels}: {error}") from error
    return _own_rows(found, {}, hashlib.sha256(content), field=True)


def read_document(address: str, *, name: str, request: Request) -> bytes:
    """The content of the request's field `name`. Raises BadRequest."""
    try:
        if not address.startswith("s3://"):
            return Path(address).read_bytes()
        bucket, key = split_s3_uri(address)
        unsigned = request.source.unsigned and bucket == request.source.bucket
        return S3Store(bucket=bucket, unsigned=unsigned).read(key)
    except (Missing, OSError) as error:
        what = "list" if name == "file_list" else "file"
        raise BadRequest(
            f"{name}: there is nothing to read at {address}; give the {what}'s address"
        ) from error


def _labels(content: bytes, request: Request) -> Found:
    source = request.source
    try:
        return read_labels(
            content,
            kind=source.kind,
            attribute=source.label_attribute,
            bucket=source.bucket,
            prefix=source.prefix,
        )
    except BadLabels as error:
        raise BadRequest(f"labels {source.labels}: {error}") from error


def _own_rows(found: Found, infos: dict[str, Info], digest: Any, *, field: bool = False) -> OwnRows:
    rows: dict[str, Line] = {}
    rejected = [_rejection(line, field=field) for line in found.rejected]
    for order, found_row in enumerate(found.rows):
        name = found_row.name
        row: Line = {**_identity(name, field=field), "count": found_row.count, "block": found_row.block}
        if field:
            row["order"] = order
        if name in infos:
            row |= {"etag": infos[name].etag, "bytes": infos[name].bytes}
        first = rows.setdefault(row["id"], row)
        if first is not row:  # one chance in 10^8 for half a million names
            detail = f"it would have the id of {first['name']}: rename it"
            rejected.append(_rejection(Rejected(name, "bad_name", detail), field=field))
    rejected.sort(key=lambda line: (line["id"], line["reason"], line["detail"]))
    return OwnRows(
        rows=[rows[identity] for identity in sorted(rows)],
        rejected=rejected,
        notes=found.notes,
        digest=digest.hexdigest(),
    )


def _identity(name: str, *, field: bool) -> Line:
    if field:
        return {"id": id_of(f"{FIELD}:{name}"), "name": name, ORIGIN: FIELD}
    return {"id": id_of(name), "name": name}


def _rejection(line: Rejected, *, field: bool) -> Line:
    name = line.name.encode("utf-8", "replace").decode()
    return _identity(name, field=field) | {"reason": line.reason, "detail": line.detail[:200]}


def _require_apart(source: Store, target: Store) -> None:
    """A dataset below the class folders would be listed as a part of the next one's source."""
    inside = False
    if isinstance(source, DirectoryStore) and isinstance(target, DirectoryStore):
        inside = target.root.is_relative_to(source.root)
    elif isinstance(source, S3Store) and isinstance(target, S3Store):
        inside = source.bucket == target.bucket and target.prefix.startswith(source.prefix)
    if inside:
        raise BadRequest(f"the target {target.uri} is inside the source {source.uri}; put it beside it")
