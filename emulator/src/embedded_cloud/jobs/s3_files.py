"""What a job reads from S3 and writes to it: input channels, checkpoints, archives."""

import tarfile
from pathlib import Path
from stat import S_ISREG
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import split_s3_uri
from embedded_cloud.jobs.run import JobFailure


def download_channel(channel: dict[str, Any], *, target: Path, s3: Any) -> int:
    """Downloads everything below a channel's S3 prefix into `target`; returns the number of files.

    File and FastFile modes are both a download here. Raises JobFailure where nothing is found or access is
    denied.
    """
    source: dict[str, Any] = channel["DataSource"].get("S3DataSource") or {}
    if source.get("S3DataType") != "S3Prefix":
        raise JobFailure(
            f"ClientError: channel {channel['ChannelName']}: the embedded cloud reads S3DataSource "
            "of type S3Prefix "
            f"only, got {sorted(channel['DataSource'])} {source.get('S3DataType', '')}"
        )
    target.mkdir(parents=True, exist_ok=True)
    return download_input(source["S3Uri"], target=target, s3=s3)


def download_input(uri: str, *, target: Path, s3: Any) -> int:
    """As download_prefix; raises JobFailure with AWS's reason where access is denied or nothing is found."""
    try:
        count = download_prefix(uri, target=target, s3=s3)
    except (ClientError, ValueError) as error:
        raise JobFailure(f"ClientError: Data download failed for {uri}: {error}") from error
    if count == 0:
        raise JobFailure(
            f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in '
            "input data source. "
            "Please ensure that the bucket exists and that objects exist under that S3 prefix."
        )
    return count


def download_prefix(uri: str, *, target: Path, s3: Any) -> int:
    """Downloads the object of that name, or all below that prefix as a folder tree; returns the number of
    files.
    """
    bucket, prefix = split_s3_uri(uri)
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            name = _relative_name(item["Key"], prefix)
            if name is None:
                continue
            path = target / name
            if not path.resolve().is_relative_to(target.resolve()):
                raise ValueError(f"the key {item['Key']!r} leads out of the folder of its channel")
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, item["Key"], str(path))
            count += 1
    return count


def _relative_name(key: str, prefix: str) -> str | None:
    """The name of an object below its prefix; None for folder markers. A prefix that is a key gives its
    base name.
    """
    if key.endswith("/"):
        return None
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    folder = (
        prefix if prefix.endswith("/") or not prefix else prefix.rsplit("/", 1)[0] + "/" * ("/" in prefix)
    )
    if not prefix.endswith("/") and key.startswith(f"{prefix}/"):
        folder = f"{prefix}/"
    return key.removeprefix(folder)


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


def upload_archive(*, folder: Path, archive: Path, uri: str, s3: Any) -> None:
    """Packs the contents of `folder` (at the archive's root) as .tar.gz into `archive` and uploads it to
    `uri`.
    """
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    bucket, key = split_s3_uri(uri)
    s3.upload_file(str(archive), bucket, key)
    archive.unlink()
