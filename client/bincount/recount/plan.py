"""Step plan: which objects are images, what is expected of each, and the transform job's input."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from bincount.errors import BincountError
from bincount.recount.run_files import BadRecount, RunFiles, split_uri
from bincount.site.arrangement import Arrangement, Bin, arrange
from bincount.site.image_files import is_image
from bincount.site.manifest import Manifest, read_manifest
from bincount.site.row import Row
from bincount.stage.objects import listed_below
from bincount_core.limits import ENDPOINT_BYTES

CHUNK = 1_000
MAX_IMAGES = 1_000_000
"""Names, ids and the manifest of a run are held in memory while it is planned: some 700 MB for a million."""


def plan(*, run_files: RunFiles, images: object, manifest: object) -> dict[str, Any]:
    """Writes the transform job's manifest file and the chunks of the join.

    Returns {images, refused, others, input: uri, answers: uri, chunks: {bucket, key}}. Objects that the job
    could not take (empty, too large) and doubles become rows with an error here: one of them would fail the
    whole job. Raises BadRecount where nothing can be counted, the manifest is faulty, or it names none of the
    images.
    """
    bucket, prefix = split_uri(images, what="images")
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    consignments = _manifest(run_files, manifest)
    source = f"s3://{bucket}/{prefix}"
    try:
        found = arrange(
            _objects(run_files.s3, bucket, prefix),
            manifest=consignments,
            where=source,
            image_of=lambda name: f"{prefix}{name}",
        )
    except BadRecount:
        raise
    except BincountError as error:
        raise BadRecount(f"BadRecount: {error}") from error
    return _write(run_files, found, consignments, prefix=prefix, source=source)


def _write(
    run_files: RunFiles, found: Arrangement, manifest: Manifest, *, prefix: str, source: str
) -> dict[str, Any]:
    names: list[str] = []
    chunks: list[str] = []
    for start in range(0, len(found.bins), CHUNK):
        rows: list[dict[str, Any]] = []
        for bin in found.bins[start : start + CHUNK]:
            expected = manifest.expected.get(bin.id)
            others = manifest.others.get(bin.id, ())
            refused = bin.row or _refused(bin, f"{prefix}{bin.name}", expected)
            if refused is not None:
                rows.append({"row": replace(refused, others=others).to_json()})
                continue
            names.append(bin.name)
            rows.append({"id": bin.id, "name": bin.name, "expected": expected, "others": others})
        chunks.append(f"{len(chunks):06}")
        run_files.write_lines(f"work/chunks/{chunks[-1]}.jsonl", rows)
    run_files.write("work/images.json", json.dumps([{"prefix": source}, *names]))
    run_files.write("work/chunks.json", json.dumps(chunks))
    alone = found.left_alone
    facts = {
        "source": source,
        "others": alone.number,
        "first_others": alone.names,
        "columns": manifest.columns,
        "unmatched": found.unmatched,
    }
    run_files.write("work/source.json", json.dumps(facts))
    return {
        "images": len(names),
        "refused": len(found.bins) - len(names),
        "others": alone.number,
        "input": run_files.uri("work/images.json"),
        "answers": run_files.uri("answers"),
        "chunks": {"bucket": run_files.bucket, "key": run_files.key("work/chunks.json")},
    }


def _refused(bin: Bin, key: str, expected: int | None) -> Row | None:
    """The row of an object that must not reach the transform job."""
    if bin.size == 0:
        code, message = "empty_body", "the object is empty: take the image again"
    elif bin.size > ENDPOINT_BYTES:
        code, message = (
            "body_too_large",
            f"{bin.size} bytes, at most {ENDPOINT_BYTES} are taken: scale it down",
        )
    else:
        return None
    return Row.of_error(code, message, id=bin.id, image=key, expected=expected)


def _objects(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    """(name below the prefix, bytes) of every object but those that are markers of folders."""
    images = 0
    try:
        for item in listed_below(s3, bucket, prefix):
            name = item["Key"][len(prefix) :]
            images += is_image(name)
            if images > MAX_IMAGES:
                raise BadRecount(
                    f"BadRecount: more than {MAX_IMAGES} images below s3://{bucket}/{prefix}: recount it "
                    "in parts"
                )
            if name and not name.endswith("/"):
                yield name, item["Size"]
    except ClientError as error:
        raise BadRecount(f"BadRecount: s3://{bucket}/{prefix} cannot be listed: {_why(error)}") from error


def _manifest(run_files: RunFiles, manifest: object) -> Manifest:
    if manifest is None:
        return Manifest()
    bucket, key = split_uri(manifest, what="manifest")
    try:
        body = run_files.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return read_manifest(body, name=str(manifest))
    except ClientError as error:
        raise BadRecount(f"BadRecount: {manifest} cannot be read: {_why(error)}") from error
    except BincountError as error:
        raise BadRecount(f"BadRecount: {error}") from error


def _why(error: ClientError) -> str:
    """AWS's words, and where to open the door: only the settings give the recount's roles their rights."""
    return (
        f"{error.response['Error'].get('Message', error)} (the recount reads the stage's bucket below sites/ "
        "and the buckets that the setting recount.buckets names)"
    )
