"""What a night has to look at: the day's answers, and the images that a job is to observe."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from monitoring.aws import read_if_there
from monitoring.drift.places import ABOUT, Night, baseline_folder
from monitoring.drift.sample import lines_of_day, read_day
from monitoring.images.keep import IMAGES, folder_of

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")
"""What is one folder below drift/baselines/ and no way out of it."""
_READERS = 16


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`answers` and `images` at most a night; `image_share` of all answers has its image kept."""

    bucket: str
    captures: str
    answers: int
    images: int
    image_share: float


def plan_night(s3: Any, *, night: Night, wanted: Wanted) -> dict[str, Any]:
    """Reads the day once and writes its sample, and the job's manifest where there is an image.

    `reason` is "" where there is something to compare. Twice the same day gives the same files.
    """
    lines = lines_of_day(s3, bucket=wanted.bucket, folder=wanted.captures, night=night)
    day = read_day(lines, most=max(wanted.answers, wanted.images))
    model = day.model
    about = None if model is None else _about(s3, wanted.bucket, model)
    sampled = day.sampled
    names: list[str] = []
    if about is not None and wanted.images:
        # Of what asked for review every image is kept: who is sampled is by the id alone, review or not.
        chosen = [each.request_id for each in sampled if each.place < wanted.image_share][: wanted.images]
        names = _kept_images(s3, wanted.bucket, chosen)
    rows = [[each.count, each.confidence, int(each.review)] for each in sampled[: wanted.answers]]
    document = {
        "day": f"{night.day}",
        "model": model,
        "answered": dict(sorted(day.answered.items())),
        "unreadable": day.unreadable,
        "rows": rows,
    }
    _put(s3, wanted.bucket, night.answers, document)
    if names:
        _put(s3, wanted.bucket, night.manifest, [{"prefix": f"s3://{wanted.bucket}/{IMAGES}"}, *names])
    return {
        "day": f"{night.day}",
        "model": model,
        "answers": sum(day.answered.values()),
        "images": len(names),
        "manifest": f"s3://{wanted.bucket}/{night.manifest}",
        "observed": f"s3://{wanted.bucket}/{night.observed}",
        "model_data": "" if about is None else about["model_data"],
        "reason": _reason(model, has_baseline=about is not None),
    }


def _reason(model: str | None, *, has_baseline: bool) -> str:
    if model is None:
        return "no answer was captured that day"
    if not has_baseline:
        return (
            f"model {model} has no baseline: the gate writes one for each model that it evaluates; let it "
            "evaluate this one (the pipeline's input `candidate`, docs/drift.md)"
        )
    return ""


def _about(s3: Any, bucket: str, model: str) -> dict[str, Any] | None:
    if not _MODEL.fullmatch(model):
        return None
    body = read_if_there(s3, bucket, f"{baseline_folder(model)}{ABOUT}")
    return None if body is None else json.loads(body)


def _kept_images(s3: Any, bucket: str, ids: list[str]) -> list[str]:
    """Their keys below images/, in the order of `ids`; an image that is not there (forgotten, not sorted yet)
    is left out: a job whose manifest names it would fail.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(partial(_image_of, s3, bucket), ids)
        return [name for name in found if name is not None]


def _image_of(s3: Any, bucket: str, request_id: str) -> str | None:
    prefix = f"{folder_of(request_id)}image."
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", [])
    return listed[0]["Key"].removeprefix(IMAGES) if listed else None


def _put(s3: Any, bucket: str, key: str, document: Any) -> None:
    body = json.dumps(document, separators=(",", ":")).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
