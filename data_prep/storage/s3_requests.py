"""Single requests to a bucket over AWS's C runtime, which signs, retries and keeps the connections.

boto3 takes 1.2 to 2.3 ms of Python for each request and Python runs one thread at a time; this takes 0.25 ms
(docs/cost.md).
"""

import io
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpHeaders, HttpRequest
from awscrt.s3 import S3Client, S3RequestType, S3ResponseError

from data_prep.storage.bucket_address import BucketAddress
from data_prep.storage.store import Later

_OF_S3 = "AWS_ERROR_S3_"


class Answer(NamedTuple):
    """Header names in lower case; the whole body."""

    headers: dict[str, str]
    body: bytes


class S3Error(Exception):
    """S3 answered with an error; `code` is S3's own, or the HTTP status where no body has it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Broken(Exception):
    """No whole answer came although the request was retried."""


class S3Requests:
    """Requests to the bucket at `address`. May be called from many threads."""

    def __init__(self, *, address: BucketAddress, client: S3Client) -> None:
        self._client = client
        self._path = address.path
        self._host = address.host if address.port is None else f"{address.host}:{address.port}"

    def begin(
        self, operation: str, verb: str, key: str, *, headers: dict[str, str], body: bytes = b""
    ) -> Later[Answer]:
        """Send a request; its answer, S3Error or Broken, comes later. `operation`: its name in S3's API."""
        answered: dict[str, str] = {}
        chunks: list[bytes] = []

        def take_headers(*, headers: list[tuple[str, str]], **_: Any) -> None:
            answered.update((name.lower(), value) for name, value in headers)

        def take_chunk(*, chunk: bytes, **_: Any) -> None:
            chunks.append(chunk)

        sent = self._client.make_request(
            type=S3RequestType.DEFAULT,
            operation_name=operation,
            request=self._request(verb, key, headers, body),
            on_headers=take_headers,
            on_body=take_chunk,
        )

        def wait() -> Answer:
            try:
                sent.finished_future.result()
            except AwsCrtError as error:
                raise _fault(error) from error
            return Answer(answered, b"".join(chunks))

        return wait

    def _request(self, verb: str, key: str, headers: dict[str, str], body: bytes) -> HttpRequest:
        named = [("Host", self._host), *headers.items()]
        if verb == "PUT":
            named.append(("Content-Length", str(len(body))))
        path = f"{self._path}/{quote(key, safe='/~')}"
        return HttpRequest(verb, path, HttpHeaders(named), io.BytesIO(body) if body else None)


def _fault(error: AwsCrtError) -> S3Error | Broken:
    name, message = str(error.name), str(error.message)
    if isinstance(error, S3ResponseError):
        body = error.body or b""
        code, said = (re.search(rb"<%s>([^<]+)<" % tag, body) for tag in (b"Code", b"Message"))
        return S3Error(
            code[1].decode() if code else str(error.status_code), (said[1] if said else b"").decode()
        )
    if name.startswith(_OF_S3):  # what is retried, and so loses its answer: AWS_ERROR_S3_SLOW_DOWN
        return S3Error(name.removeprefix(_OF_S3).title().replace("_", ""), message)
    return Broken(f"nothing answered, or the answer was cut short ({name}: {message})")
