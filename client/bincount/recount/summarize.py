"""Step summarize: all rows become the CSV, the page and the figures."""

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from bincount.recount.run_files import RunFiles, split_uri
from bincount.site.image_files import LeftAlone
from bincount.site.report import SiteReport
from bincount.site.row import Row
from bincount_core.limits import ENDPOINT_BYTES

_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "page": "text/html; charset=utf-8",
    "figures": "application/json",
}


def summarize(*, run_files: RunFiles, request: Mapping[str, Any]) -> dict[str, Any]:
    """Streams the rows in their order; returns {csv, page, figures: uris, summary: figures}.

    Memory does not grow with the rows; the CSV is built on the Lambda's disk (512 MB: 4 million rows).
    """
    chunks = json.loads(
        run_files.s3.get_object(Bucket=run_files.bucket, Key=run_files.key("work/chunks.json"))["Body"].read()
    )
    source = next(run_files.read_lines("work/source.json"))
    bucket, _ = split_uri(source["source"], what="images")

    def image_of(row: Row) -> bytes | None:
        return None if row.image is None else _image(run_files.s3, bucket, row.image)

    columns = tuple(source["columns"])
    with tempfile.TemporaryDirectory() as folder, SiteReport(Path(folder), columns=columns) as report:
        for chunk in chunks:
            for members in run_files.read_lines(f"work/rows/{chunk}.jsonl"):
                report.add(Row.from_json(members))
        files = report.finish(
            title=f"Recount of {source['source']}",
            facts=_facts(run_files, request, source),
            image_of=image_of,
        )
        uris = {kind: run_files.upload(path, media_type=_MEDIA_TYPES[kind]) for kind, path in files.items()}
        return {**uris, "summary": report.summary.to_json()}


def _facts(run_files: RunFiles, request: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, str]:
    unmatched = {"ids without an image": source["unmatched"]} if source["unmatched"] else {}
    alone = LeftAlone(number=source["others"], names=source["first_others"])
    return {
        "images": source["source"],
        "manifest": request.get("manifest") or "none",
        "model": str(request.get("model", {}).get("uri", "none")),
        "run": run_files.run,
        "finished": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **unmatched,
        **alone.facts(),
    }


def _image(s3: Any, bucket: str, key: str) -> bytes | None:
    try:
        return s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{ENDPOINT_BYTES - 1}")["Body"].read()
    except ClientError:
        return None  # it was there when it was counted; the page does without it
