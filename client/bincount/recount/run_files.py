"""Where the files of a run are in the stage's bucket, and the error of a recount that cannot be done."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bincount.errors import BincountError
from bincount_core.s3_address import split_s3_address


class BadRecount(BincountError):
    """The input cannot be counted; the name is the error's in Step Functions, which does not retry it."""


class RunFiles:
    """`recounts/<run>/`: `answers/` (the transform's), `work/` (between the steps), and the results."""

    def __init__(self, *, s3: Any, bucket: str, run: str) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.prefix = f"recounts/{run}/"
        self.run = run

    def key(self, name: str) -> str:
        """The key of a file of the run."""
        return f"{self.prefix}{name}"

    def uri(self, name: str) -> str:
        """Its s3:// address."""
        return f"s3://{self.bucket}/{self.prefix}{name}"

    def write(self, name: str, body: str) -> None:
        """Puts a file of text."""
        self.s3.put_object(Bucket=self.bucket, Key=self.key(name), Body=body.encode())

    def write_lines(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """JSON lines."""
        self.write(name, "".join(f"{json.dumps(row, separators=(',', ':'))}\n" for row in rows))

    def read_lines(self, name: str) -> Iterator[dict[str, Any]]:
        """What write_lines wrote, line by line."""
        body = self.s3.get_object(Bucket=self.bucket, Key=self.key(name))["Body"]
        for line in body.iter_lines():
            yield json.loads(line)

    def upload(self, path: Path, *, media_type: str) -> str:
        """Puts a file of the results; returns its s3:// address."""
        self.s3.upload_file(
            str(path), self.bucket, self.key(path.name), ExtraArgs={"ContentType": media_type}
        )
        return self.uri(path.name)


def split_uri(uri: object, *, what: str) -> tuple[str, str]:
    """(bucket, key) of an s3:// address. Raises BadRecount for anything else."""
    try:
        return split_s3_address(uri if isinstance(uri, str) else "")
    except ValueError as error:
        raise BadRecount(f"BadRecount: {what}: expected an address s3://bucket/…, got {uri!r}") from error
