"""Keeps a job's checkpoint folder and its place in S3 the same."""

from pathlib import Path
from stat import S_ISREG
from typing import Any

from embedded_cloud.aws import split_s3_uri
from embedded_cloud.jobs.channels import download_prefix

DEFAULT_LOCAL_PATH = "/opt/ml/checkpoints"


class CheckpointSync:
    """Down once before the training, then up again whatever has changed."""

    def __init__(self, *, uri: str, folder: Path, s3: Any) -> None:
        self._uri = uri.rstrip("/") + "/"
        self._folder = folder
        self._s3 = s3
        self._seen: dict[Path, tuple[int, int]] = {}

    def restore(self) -> int:
        """Downloads what an earlier job left; returns the number of files."""
        self._folder.mkdir(parents=True, exist_ok=True)
        count = download_prefix(self._uri, target=self._folder, s3=self._s3)
        self._seen = self._state()
        return count

    def push(self) -> int:
        """Uploads files that are new or changed; returns their number. A file that is gone stays in S3, as
        on AWS.
        """
        bucket, prefix = split_s3_uri(self._uri)
        state = self._state()
        changed = [path for path, stamp in state.items() if self._seen.get(path) != stamp]
        for path in changed:
            try:
                content = path.open("rb")
            except FileNotFoundError:
                # Jobs write a scratch file and rename it: what it became is seen by the next push.
                continue
            with content:
                self._s3.upload_fileobj(content, bucket, prefix + path.relative_to(self._folder).as_posix())
        self._seen = state
        return len(changed)

    def _state(self) -> dict[Path, tuple[int, int]]:
        """Size and time of change of every file; one that vanishes meanwhile is left out."""
        state: dict[Path, tuple[int, int]] = {}
        for path in sorted(self._folder.rglob("*")):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if S_ISREG(stat.st_mode):
                state[path] = (stat.st_size, stat.st_mtime_ns)
        return state
