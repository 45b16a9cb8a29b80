"""Keeps some images of a captured file below images/, and leaves the file without any."""

import json
import logging
from typing import Any
from urllib.parse import quote

from monitoring.aws import head_if_there
from monitoring.captures.captured import UNREADABLE, Captured, is_sampled
from monitoring.captures.hours import lines_of_file

IMAGES = "images/"
FORGOTTEN = "forgotten/"
SUFFIXES = {"image/png": "png", "image/x-png": "png", "image/webp": "webp"}
log = logging.getLogger()


def folder_of(request_id: str) -> str:
    """Where the image of an answer and what is known of it lie."""
    return f"{IMAGES}{quote(request_id, safe='')}/"


def keep_images(s3: Any, *, bucket: str, key: str, share: float) -> dict[str, int]:
    """Sorts one file of captured lines; how many lines it had, and how many images of them were kept.

    Kept are images of answers that asked for review, and a sample of `share` of the others. Images come
    first, then the file is replaced: killed in between, the next try writes the same objects again. A line
    that cannot be read stays as it is.
    """
    lines: list[bytes] = []
    images = kept = 0
    for text in lines_of_file(s3, bucket=bucket, key=key):
        try:
            captured = Captured.from_line(text)
        except UNREADABLE as error:
            log.warning("%s: a line is left as it is: %s %s", key, type(error).__name__, error)
            lines.append(text + b"\n")
            continue
        lines.append(captured.without_image())
        if captured.image is None:
            continue
        images += 1
        if captured.answer and (captured.wants_review or is_sampled(captured.request_id, share=share)):
            kept += _keep(s3, captured, bucket=bucket, key=key, share=share)
    if images:
        s3.put_object(Bucket=bucket, Key=key, Body=b"".join(lines), ContentType="application/jsonl")
    return {"lines": len(lines), "images": images, "kept": kept}


def _keep(s3: Any, captured: Captured, *, bucket: str, key: str, share: float) -> bool:
    if _is_forgotten(s3, bucket, captured.request_id):
        return False
    folder = folder_of(captured.request_id)
    suffix = SUFFIXES.get(captured.content_type.partition(";")[0].strip().lower(), "jpg")
    about = {
        "schema_version": 1,
        "request_id": captured.request_id,
        "answered_at": captured.time,
        "image": f"image.{suffix}",
        "captured_in": key,
        "kept_for": "review" if captured.wants_review else "sample",
        # How probable it was that this image is kept: who estimates from them divides by it.
        "probability": 1.0 if captured.wants_review else share,
        "answer": captured.answer,
    }
    s3.put_object(
        Bucket=bucket, Key=f"{folder}image.{suffix}", Body=captured.image, ContentType=captured.content_type
    )
    s3.put_object(
        Bucket=bucket,
        Key=f"{folder}answer.json",
        Body=json.dumps(about).encode(),
        ContentType="application/json",
    )
    return True


def _is_forgotten(s3: Any, bucket: str, request_id: str) -> bool:
    return head_if_there(s3, bucket, f"{FORGOTTEN}{quote(request_id, safe='')}") is not None
