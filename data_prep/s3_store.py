"""A bucket (or a prefix of one) as a store, over one shared pool of connections."""

import os
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError

from data_prep.errors import TransferFailed
from data_prep.store import Changed, Info, Missing, Store

CONNECTIONS = 32
"""Requests of one batch under way. botocore takes about a millisecond of CPU for each and Python runs one
thread at a time, so that more threads only wait for each other (benchmarks/data_prep.py)."""

POOL = 2 * CONNECTIONS
"""Connections that are kept: the command line has two batches under way, and one thrown away is made anew."""

_REQUEST_ATTEMPTS = 10  # where AWS_MAX_ATTEMPTS, the SDKs' own variable, says nothing else
_BODY_ATTEMPTS = 5
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_LOCK = threading.Lock()


class S3Store:
    """Objects of `bucket` whose keys start with `prefix`. `unsigned` reads a public bucket without
    credentials."""

    def __init__(self, *, bucket: str, prefix: str = "", unsigned: bool = False) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.unsigned = unsigned
        self._client = _client(unsigned)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def read(self, key: str, *, etag: str | None = None) -> bytes:
        # botocore retries a request, but not the reading of its streamed body: a body cut short is asked
        # for anew.
        for attempt in range(1, _BODY_ATTEMPTS + 1):
            answer = self._call("get_object", key, Key=self.prefix + key)
            if etag is not None and answer["ETag"].strip('"') != etag:
                raise Changed(key)
            try:
                return answer["Body"].read()
            except (HTTPClientError, IncompleteReadError) as error:
                if attempt == _BODY_ATTEMPTS:
                    raise TransferFailed(
                        f"GET {self.uri}{key}: {attempt} bodies were cut short: {error}"
                    ) from error
        raise AssertionError("the last attempt returns or raises")

    def info(self, key: str) -> Info:
        answer = self._call("head_object", key, Key=self.prefix + key)
        return Info(key, answer["ETag"].strip('"'), int(answer["ContentLength"]))

    def list(self, prefix: str, *, after: str = "") -> Iterator[Info]:
        more = {"StartAfter": self.prefix + after} if after else {}
        while True:
            answer = self._call("list_objects_v2", prefix, Prefix=self.prefix + prefix, **more)
            for entry in answer.get("Contents", ()):
                yield Info(entry["Key"].removeprefix(self.prefix), entry["ETag"].strip('"'), entry["Size"])
            if not answer["IsTruncated"]:
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def write(self, key: str, data: bytes, *, content_type: str) -> None:
        self._call("put_object", key, Key=self.prefix + key, Body=data, ContentType=content_type)

    def create(self, key: str, data: bytes, *, content_type: str) -> bool:
        wanted = {"Body": data, "ContentType": content_type, "IfNoneMatch": "*"}
        try:
            self._call("put_object", key, Key=self.prefix + key, **wanted)
        except Changed:
            return False
        return True

    def write_file(self, key: str, path: Path, *, content_type: str) -> None:
        extra = {"ContentType": content_type}
        try:
            self._client.upload_file(str(path), self.bucket, self.prefix + key, ExtraArgs=extra)
        except (S3UploadFailedError, BotoCoreError, ClientError) as error:
            raise TransferFailed(f"upload to {self.uri}{key}: {error}") from error

    def take(self, key: str, *, source: Store, source_info: Info, data: bytes) -> None:
        if not isinstance(source, S3Store) or source.unsigned:
            self.write(key, data, content_type="image/jpeg")
            return
        self._call(
            "copy_object",
            key,
            Key=self.prefix + key,
            CopySource={"Bucket": source.bucket, "Key": source.prefix + source_info.key},
            CopySourceIfMatch=f'"{source_info.etag}"',
            ContentType="image/jpeg",
            MetadataDirective="REPLACE",
        )

    def _call(self, operation: str, key: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, operation)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            self._refused(operation, key, error)
        except BotoCoreError as error:
            raise TransferFailed(f"{operation} of {self.uri}{key}: {error}") from error

    def _refused(self, operation: str, key: str, error: ClientError) -> NoReturn:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _ABSENT:
            raise Missing(key) from error
        if code == "PreconditionFailed":
            raise Changed(key) from error
        # Without s3:ListBucket S3 answers 403 for a key that is not there; guessing would turn a missing
        # right into missing images.
        hint = (
            "; the role needs s3:GetObject and s3:ListBucket there" if code in ("403", "AccessDenied") else ""
        )
        raise TransferFailed(f"{operation} of {self.uri}{key}: {error}{hint}") from error


def _client(unsigned: bool) -> Any:
    with _LOCK:  # boto3 builds clients from a session that is not safe to share between threads
        return _build_client(unsigned)


@lru_cache(maxsize=2)
def _build_client(unsigned: bool) -> Any:
    attempts = int(os.environ.get("AWS_MAX_ATTEMPTS", _REQUEST_ATTEMPTS))
    more = {"signature_version": UNSIGNED} if unsigned else {}
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=POOL,
        user_agent="bincount-data-prep",  # put together anew for each request otherwise, a tenth of its CPU
        connect_timeout=10,
        read_timeout=60,
        **more,
    )
    return boto3.client("s3", config=config)


def forget_clients() -> None:
    """Build clients anew on the next use: for a process whose endpoint or credentials have changed."""
    _build_client.cache_clear()
