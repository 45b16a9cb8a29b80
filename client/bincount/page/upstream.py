"""What is behind the page: a stage's API, signed with the caller's credentials, or an inference server."""

import json
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import urllib3

from bincount.counting.endpoint import custom_attributes
from bincount.counting.https_api import count_path
from bincount.errors import BincountError
from bincount.labels.label import Label
from bincount.stage.proxy import pool_for
from bincount.stage.signed_api import api_address, signed
from bincount.stage.stage import Stage

_CONNECTIONS = 8
_TIMEOUT = urllib3.Timeout(connect=10, read=35)  # API Gateway answers within 29 s
_NO_RETRY = urllib3.Retry(total=0, redirect=0, raise_on_status=False)
_MOST_BYTES = 1_000_000
"""Of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer: `body` is JSON where the one that answered is a server of ours."""

    status: int
    body: bytes
    retry_after: str | None = None


class Counter(Protocol):
    """Where images are sent."""

    def count(self, image: bytes, *, media_type: str, expected: int | None, explain: bool = False) -> Reply:
        """The answer for an image, with `explain` where the model looked. Raises Unreachable."""
        ...


class Labels(Protocol):
    """Where labels are kept."""

    def label(self, label: Label) -> Reply:
        """The answer to a label: `request_id`, `count`, `previous`, `labelled_at`. Raises Unreachable."""
        ...


class Unreachable(Exception):
    """Nobody answered; the text names no address."""


class StageApi:
    """The HTTPS API of a stage, which takes images and labels."""

    def __init__(self, *, stage: Stage, url: str | None) -> None:
        self._stage = stage
        self._base = api_address(url or stage.api_url)
        self._pool = pool_for(
            self._base, proxied=not stage.is_embedded, maxsize=_CONNECTIONS, retries=_NO_RETRY,
            timeout=_TIMEOUT, ca_certs=stage.ca_bundle,
        )  # fmt: skip

    def count(self, image: bytes, *, media_type: str, expected: int | None, explain: bool = False) -> Reply:
        """`POST <ApiUrl>/count?expected=N`."""
        return self._post(count_path(expected=expected, explain=explain), image, media_type)

    def label(self, label: Label) -> Reply:
        """`POST <ApiUrl>/labels`."""
        return self._post("labels", json.dumps(label.to_json()).encode(), "application/json")

    def _post(self, path: str, data: bytes, media_type: str) -> Reply:
        url = f"{self._base}/{path}"
        headers = {"Content-Type": media_type, "Accept": "application/json"}
        return _post(self._pool, url, data, signed(self._stage, url=url, data=data, headers=headers))


class InferenceServer:
    """`python -m inference`, or the serving image, at `url`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BincountError(f"{url!r} is not a server's address: http://127.0.0.1:8080 is expected")
        self._url = f"{url.rstrip('/')}/invocations"
        self._pool = pool_for(url, proxied=True, maxsize=_CONNECTIONS, retries=_NO_RETRY, timeout=_TIMEOUT)

    def count(self, image: bytes, *, media_type: str, expected: int | None, explain: bool = False) -> Reply:
        """`POST /invocations`, as SageMaker calls it."""
        headers = {"Content-Type": media_type, "Accept": "application/json"}
        if asked := custom_attributes(expected=expected, explain=explain):
            headers["X-Amzn-SageMaker-Custom-Attributes"] = asked
        return _post(self._pool, self._url, image, headers)


def _post(pool: urllib3.PoolManager, url: str, data: bytes, headers: dict[str, str]) -> Reply:
    try:
        response = pool.request(
            "POST", url, body=data, headers=headers, redirect=False, preload_content=False
        )
        with response:
            body = response.read(_MOST_BYTES + 1)
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(type(error).__name__) from error
    if len(body) > _MOST_BYTES:
        raise Unreachable(f"an answer of more than {_MOST_BYTES} bytes")
    return Reply(status=response.status, body=body, retry_after=response.headers.get("Retry-After"))
