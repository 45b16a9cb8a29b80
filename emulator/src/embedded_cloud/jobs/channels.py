"""Brings a job's input channels from S3 to its folder."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from embedded_cloud.aws import split_s3_uri
from embedded_cloud.jobs.failure import JobFailure


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
    uri = source["S3Uri"]
    target.mkdir(parents=True, exist_ok=True)
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
