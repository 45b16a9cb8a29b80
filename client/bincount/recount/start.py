"""Starts the recount of an S3 prefix, follows it, and brings its files here."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bincount.stage.execution import start
from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address


def recount_prefix(*, stage: Stage, images: str, manifest: str | None, out: Path) -> Iterator[str]:
    """Yields what is being done. At the end recount.csv, summary.html and summary.json are in `out`.

    A manifest that is a file here is uploaded first, below sites/manifests/ in the stage's bucket.
    Raises BincountError with the cause where the recount fails. Leaving the loop early does not stop it.
    """
    request = {"images": images}
    if manifest is not None:
        request["manifest"] = manifest if manifest.startswith("s3://") else _upload(stage, Path(manifest))
    execution = start(stage=stage, machine="recount", request=json.dumps(request))
    yield f"started {execution.arn}"
    for state in execution.follow():
        if state is not None:
            yield f"state {state}"
    result = json.loads(execution.output)
    out.mkdir(parents=True, exist_ok=True)
    for kind in ("csv", "page", "figures"):
        bucket, key = split_s3_address(result[kind])
        path = out / key.rsplit("/", 1)[1]
        stage.client("s3").download_file(bucket, key, str(path))
        yield f"{result[kind]} -> {path}"


def _upload(stage: Stage, path: Path) -> str:
    bucket = stage.bucket
    key = f"sites/manifests/{datetime.now(UTC):%Y%m%d%H%M%S%f}.csv"
    stage.client("s3").upload_file(str(path), bucket, key)
    return f"s3://{bucket}/{key}"
