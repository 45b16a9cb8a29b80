"""Step plan: which objects are images, what is expected of each, and the transform job's input."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from bincount.errors import BincountError
from bincount.image import MAX_BYTES, SUFFIXES
from bincount.recount.errors import BadRecount
from bincount.recount.place import Place, split_uri
from bincount.site.folder import duplicate, no_image
from bincount.site.manifest import image_id, read_manifest
from bincount.site.row import Row

CHUNK = 1_000
MAX_IMAGES = 1_000_000
"""Ids and expected numbers of a run are held in memory while it is planned: some 250 MB for a million."""


def plan(*, place: Place, images: object, manifest: object) -> dict[str, Any]:
    """Writes the transform job's manifest file and the chunks of the join.

    Returns {images, refused, others, input: uri, answers: uri, chunks: {bucket, key}}. Objects that the job
    could not take (empty, too large) and doubles become rows with an error here: one of them would fail the
    whole job. Raises BadRecount where nothing can be counted or the manifest is faulty.
    """
    bucket, prefix = split_uri(images, what="images")
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    expected = _expected(place, manifest)
    planned = _Planned(place)
    seen: set[str] = set()
    for key, size in _objects(place.s3, bucket, prefix):
        name = key[len(prefix) :]
        if not name.lower().endswith(SUFFIXES):
            planned.others += not name.endswith("/") and bool(name)
            continue
        identity = image_id(name)
        planned.add(_refused(identity, key, size, seen, expected.get(identity)), identity, name, expected)
        seen.add(identity)
        if len(seen) > MAX_IMAGES:
            raise BadRecount(f"BadRecount: more than {MAX_IMAGES} images below {images}: recount it in parts")
    for identity in sorted(expected.keys() - seen):
        planned.add(no_image(identity, expected=expected[identity]), identity, "", expected)
    if not seen:
        raise BadRecount(
            f"BadRecount: no images ({', '.join(SUFFIXES)}) below s3://{bucket}/{prefix}: check the address"
        )
    return planned.finish(source=f"s3://{bucket}/{prefix}")


class _Planned:
    """Collects rows into chunks of CHUNK, and the names for the transform job."""

    def __init__(self, place: Place) -> None:
        self.others = 0
        self._place = place
        self._names: list[str] = []
        self._rows: list[dict[str, Any]] = []
        self._chunks: list[str] = []
        self._refused = 0

    def add(self, refused: Row | None, identity: str, name: str, expected: dict[str, int]) -> None:
        if refused is None:
            self._names.append(name)
            self._rows.append({"id": identity, "name": name, "expected": expected.get(identity)})
        else:
            self._refused += 1
            self._rows.append({"row": refused.to_json()})
        if len(self._rows) == CHUNK:
            self._flush()

    def finish(self, *, source: str) -> dict[str, Any]:
        self._flush()
        place = self._place
        place.write("work/images.json", json.dumps([{"prefix": source}, *self._names]))
        place.write("work/chunks.json", json.dumps(self._chunks))
        place.write("work/source.json", json.dumps({"source": source, "others": self.others}))
        return {
            "images": len(self._names),
            "refused": self._refused,
            "others": self.others,
            "input": place.uri("work/images.json"),
            "answers": place.uri("answers"),
            "chunks": {"bucket": place.bucket, "key": place.key("work/chunks.json")},
        }

    def _flush(self) -> None:
        if self._rows:
            name = f"{len(self._chunks):06}"
            self._place.write_lines(f"work/chunks/{name}.jsonl", self._rows)
            self._chunks.append(name)
            self._rows = []


def _refused(identity: str, key: str, size: int, seen: set[str], expected: int | None) -> Row | None:
    """The row of an object that must not reach the transform job."""
    if identity in seen:
        return duplicate(identity, image=key, expected=expected)
    if size == 0:
        code, message = "empty_body", "the object is empty: photograph the bin again"
    elif size > MAX_BYTES:
        code, message = "body_too_large", f"{size} bytes, at most {MAX_BYTES} are taken: scale it down"
    else:
        return None
    return Row.of_error(code, message, id=identity, image=key, expected=expected)


def _objects(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]
    except ClientError as error:
        raise BadRecount(f"BadRecount: s3://{bucket}/{prefix} cannot be listed: {_why(error)}") from error


def _expected(place: Place, manifest: object) -> dict[str, int]:
    if manifest is None:
        return {}
    bucket, key = split_uri(manifest, what="manifest")
    try:
        body = place.s3.get_object(Bucket=bucket, Key=key)["Body"]
        return read_manifest((line.decode("utf-8") for line in body.iter_lines()), name=str(manifest))
    except ClientError as error:
        raise BadRecount(f"BadRecount: {manifest} cannot be read: {_why(error)}") from error
    except (BincountError, UnicodeDecodeError) as error:
        raise BadRecount(f"BadRecount: {error}") from error


def _why(error: ClientError) -> str:
    """AWS's words, and where to open the door: only the settings give the recount's roles their rights."""
    return (
        f"{error.response['Error'].get('Message', error)} (the recount reads the stage's bucket below sites/ "
        "and the buckets that the setting recount.buckets names)"
    )
