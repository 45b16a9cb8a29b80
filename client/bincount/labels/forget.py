"""Deletes the image of one answer wherever this project put it, and names where it may still be."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bincount.errors import BincountError
from bincount.labels.label import is_request_id
from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage

_AT_ONCE = 1000  # keys that DeleteObjects takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """`deleted` are the keys that are gone with all their versions; `left` says what a person must do."""

    request_id: str
    deleted: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])


def forget(stage: Stage, request_id: str, *, labels: bool = False) -> Forgotten:
    """Deletes the image of the answer `request_id`, and with `labels` what people wrote about it.

    First a mark is set, so that an image that is still on its way is not kept. It may be run again.
    Raises BincountError for what is no request id.
    """
    if not is_request_id(request_id):
        raise BincountError(f"{request_id[:80]!r} is no request_id of an answer: copy it from the answer")
    bucket, s3, name = stage.bucket, stage.client("s3"), quote(request_id, safe="")
    mark = {"request_id": request_id, "forgotten_at": datetime.now(UTC).isoformat(timespec="seconds")}
    s3.put_object(Bucket=bucket, Key=f"forgotten/{name}", Body=json.dumps(mark).encode())
    about = _json(s3, bucket, f"images/{name}/answer.json")
    done = Forgotten(request_id=request_id)
    doomed = [*_versions(s3, bucket, f"images/{name}/")]
    if about is None:
        done.left.append(
            "no kept image of it was found. If it was counted within the last two days, the old version of a "
            "captured file may still hold it; such versions expire by themselves"
        )
    else:
        doomed += [
            each for each in _versions(s3, bucket, about["captured_in"], whole=True) if not each.latest
        ]
    if labels:
        history = [*_versions(s3, bucket, f"label-history/{name}/")]
        doomed += history
        for key in dict.fromkeys(_key_by_day(each.key) for each in history):
            doomed += _versions(s3, bucket, key, whole=True)
    _delete(s3, bucket, doomed)
    done.deleted.extend(dict.fromkeys(each.key for each in doomed))
    done.left.extend(_datasets_with(s3, bucket, name))
    return done


@dataclass(frozen=True, slots=True)
class _Version:
    key: str
    version: str
    latest: bool


def _versions(s3: Any, bucket: str, prefix: str, *, whole: bool = False) -> Iterator[_Version]:
    """Every version and delete marker below `prefix`, or with `whole` of that key alone."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if not whole or each["Key"] == prefix:
                yield _Version(each["Key"], each["VersionId"], each["IsLatest"])


def _key_by_day(history_key: str) -> str:
    """`labels/yyyy/mm/dd/<name>` of `label-history/<id>/<name>`; the name begins with the moment."""
    name = history_key.rpartition("/")[2]
    return f"labels/{name[:4]}/{name[4:6]}/{name[6:8]}/{name}"


def _delete(s3: Any, bucket: str, doomed: list[_Version]) -> None:
    for start in range(0, len(doomed), _AT_ONCE):
        objects = [{"Key": each.key, "VersionId": each.version} for each in doomed[start : start + _AT_ONCE]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for fault in answer.get("Errors", ()):
            raise BincountError(
                f"{fault['Key']} was not deleted: {fault['Code']}: {fault['Message']}: ask for this right, "
                "then run it again"
            )


def _json(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    body = read_if_there(s3, bucket, key)
    return None if body is None else json.loads(body)


def _datasets_with(s3: Any, bucket: str, name: str) -> Iterator[str]:
    """What to do about each sealed dataset that has the image: a dataset is never changed, only made anew."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="datasets/", Delimiter="/")
    for folder in (each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())):
        for line in _manifest(s3, bucket, folder):
            if f"/{name}/image." not in f"/{line.get('name', '')}":
                continue
            yield (
                f"s3://{bucket}/{folder} holds the image: prepare the dataset without it, then delete this "
                "one with all its versions; models that were trained on it keep what they learned"
            )
            break


def _manifest(s3: Any, bucket: str, folder: str) -> Iterator[dict[str, Any]]:
    """The lines of a dataset's manifest; none where the dataset is not sealed, for such a one expires."""
    packed = read_if_there(s3, bucket, f"{folder}manifest.jsonl.gz")
    if packed is not None:
        yield from (json.loads(line) for line in gzip.decompress(packed).splitlines())
