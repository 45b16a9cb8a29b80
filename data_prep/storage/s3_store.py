"""A bucket (or a prefix of one) as a store, over one shared pool of connections."""

import base64
import os
import threading
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import boto3
import botocore.session
from awscrt.s3 import S3Client
from boto3.exceptions import S3UploadFailedError
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from data_prep.errors import BadRequest, TransferFailed
from data_prep.storage.bucket_address import find_address
from data_prep.storage.s3_requests import Answer, Broken, S3Error, S3Requests
from data_prep.storage.s3_runtime import build_runtime_client
from data_prep.storage.store import Changed, Info, Later, Missing, Store

CONNECTIONS = 64
"""Requests of one batch under way. More were no faster (docs/cost.md)."""

BATCHES = 4
"""Batches under way at the command line, so that one's last images do not leave the connections idle."""

POOL = BATCHES * CONNECTIONS
"""Connections at most."""

_ONE_PUT = 8_000_000
"""Bytes; larger files are uploaded in parts."""

_REQUEST_ATTEMPTS = 10  # where AWS_MAX_ATTEMPTS, the SDKs' own variable, says nothing else
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_LOCK = threading.RLock()  # boto3 builds clients from a session that is not safe to share between threads


class S3Store:
    """Objects of `bucket` whose keys start with `prefix`. `unsigned` reads a public bucket without
    credentials."""

    def __init__(self, *, bucket: str, prefix: str = "", unsigned: bool = False) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.unsigned = unsigned
        with _LOCK:
            self._client = _client(unsigned)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def read(self, key: str, *, etag: str | None = None) -> bytes:
        return self.begin_read(key, etag=etag)()

    def begin_read(self, key: str, *, etag: str | None = None) -> Later[bytes]:
        answer = self._begin("GetObject", "GET", key, {})
        return lambda: _unchanged(answer(), key, etag).body

    def info(self, key: str) -> Info:
        headers = self._begin("HeadObject", "HEAD", key, {})().headers
        return Info(key, headers["etag"].strip('"'), int(headers["content-length"]))

    def list(self, prefix: str, *, after: str = "", page: int = 1000) -> Iterator[Info]:
        more = {"StartAfter": self.prefix + after} if after else {}
        while True:
            answer = self._list(prefix, page, more)
            for entry in answer.get("Contents", ()):
                yield Info(entry["Key"].removeprefix(self.prefix), entry["ETag"].strip('"'), entry["Size"])
            if not answer["IsTruncated"]:
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def write(self, key: str, data: bytes, *, content_type: str) -> None:
        self.begin_write(key, data, content_type=content_type)()

    def begin_write(self, key: str, data: bytes, *, content_type: str) -> Later[None]:
        return self._put(key, data, {"Content-Type": content_type})

    def create(self, key: str, data: bytes, *, content_type: str) -> bool:
        try:
            self._put(key, data, {"Content-Type": content_type, "If-None-Match": "*"})()
        except Changed:
            return False
        return True

    def write_file(self, key: str, path: Path, *, content_type: str) -> None:
        if path.stat().st_size <= _ONE_PUT:
            self.write(key, path.read_bytes(), content_type=content_type)
            return
        extra = {"ContentType": content_type}
        try:
            self._client.upload_file(str(path), self.bucket, self.prefix + key, ExtraArgs=extra)
        except (S3UploadFailedError, BotoCoreError, ClientError) as error:
            raise TransferFailed(f"upload to {self.uri}{key}: {error}") from error

    def begin_take(self, key: str, *, source: Store, source_info: Info, data: bytes) -> Later[None]:
        if not isinstance(source, S3Store) or source.unsigned:
            return self.begin_write(key, data, content_type="image/jpeg")
        headers = {
            "x-amz-copy-source": quote(f"{source.bucket}/{source.prefix}{source_info.key}"),
            "x-amz-copy-source-if-match": f'"{source_info.etag}"',
            "x-amz-metadata-directive": "REPLACE",
            "Content-Type": "image/jpeg",
        }
        return _done(self._begin("CopyObject", "PUT", key, headers))

    def _put(self, key: str, data: bytes, headers: dict[str, str]) -> Later[None]:
        checksum = base64.b64encode(zlib.crc32(data).to_bytes(4)).decode()
        return _done(self._begin("PutObject", "PUT", key, headers | {"x-amz-checksum-crc32": checksum}, data))

    def _begin(
        self, operation: str, verb: str, key: str, headers: dict[str, str], body: bytes = b""
    ) -> Later[Answer]:
        with _LOCK:
            requests = _requests(self.bucket, self.unsigned)
        answer = requests.begin(operation, verb, self.prefix + key, headers=headers, body=body)

        def wait() -> Answer:
            try:
                return answer()
            except S3Error as error:
                self._raise_for(operation, key, error.code, error)
            except Broken as error:
                raise TransferFailed(f"{operation} of {self.uri}{key}: {error}") from error

        return wait

    def _list(self, prefix: str, page: int, more: dict[str, str]) -> Any:
        try:
            return self._client.list_objects_v2(
                Bucket=self.bucket, Prefix=self.prefix + prefix, MaxKeys=page, **more
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            self._raise_for("ListObjectsV2", prefix, code, error)
        except BotoCoreError as error:
            raise TransferFailed(f"ListObjectsV2 of {self.uri}{prefix}: {error}") from error

    def _raise_for(self, operation: str, key: str, code: str, error: Exception) -> NoReturn:
        if code in _ABSENT:
            raise Missing(key) from error
        if code in ("412", "PreconditionFailed"):
            raise Changed(key) from error
        # Without s3:ListBucket S3 answers 403 for a key that is not there; guessing would turn a missing
        # right into missing images.
        hint = (
            "; the role needs s3:GetObject and s3:ListBucket there" if code in ("403", "AccessDenied") else ""
        )
        raise TransferFailed(f"{operation} of {self.uri}{key}: {error}{hint}") from error


def _unchanged(answer: Answer, key: str, etag: str | None) -> Answer:
    if etag is not None and answer.headers["etag"].strip('"') != etag:
        raise Changed(key)
    return answer


def _done(answer: Later[Answer]) -> Later[None]:
    def wait() -> None:
        answer()

    return wait


@lru_cache(maxsize=1)
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@lru_cache(maxsize=1)
def _boto3_session() -> boto3.Session:
    # One a process: each boto3.Session registers its methods anew with the botocore session that it is
    # given, and a client that finds them twice fails ("Cannot inject class attribute").
    return boto3.Session(botocore_session=_session())


@lru_cache(maxsize=2)
def _client(unsigned: bool) -> Any:
    """boto3's, for what is rare or has many parts: heads of buckets, listings, large uploads."""
    more: dict[str, Any] = {"signature_version": UNSIGNED} if unsigned else {}
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _attempts()},
        connect_timeout=10,
        read_timeout=60,
        **more,
    )
    return _boto3_session().client("s3", config=config)


@lru_cache(maxsize=8)
def _requests(bucket: str, unsigned: bool) -> S3Requests:
    address = find_address(_client(unsigned), bucket)
    return S3Requests(address=address, client=_runtime(address.region, address.tls, unsigned))


@lru_cache(maxsize=8)
def _runtime(region: str, tls: bool, unsigned: bool) -> S3Client:
    return build_runtime_client(
        session=_session(),
        region=region,
        tls=tls,
        unsigned=unsigned,
        attempts=_attempts(),
        connections=POOL,
    )


def _attempts() -> int:
    given = os.environ.get("AWS_MAX_ATTEMPTS", str(_REQUEST_ATTEMPTS))
    if not given.isdecimal() or int(given) < 1:
        raise BadRequest(f"AWS_MAX_ATTEMPTS is {given[:20]!r}; set a whole number from 1 on, or unset it")
    return int(given)


def forget_clients() -> None:
    """Build clients anew on the next use: for a process whose endpoint or credentials have changed."""
    for cache in (_session, _boto3_session, _client, _requests, _runtime):
        cache.cache_clear()
