"""Calls of a stage's HTTPS API, signed with the caller's AWS credentials."""

import json
from typing import Any
from urllib.parse import urlsplit

import urllib3

from bincount.errors import UNREACHABLE, BincountError, Refused, of_response
from bincount.stage.proxy import pool_for, proxy_for, shown
from bincount.stage.stage import Stage
from bincount.texts import shortened

_RETRY = urllib3.Retry(
    total=5,
    connect=3,
    read=0,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,  # counting changes nothing and a label is stored once: a POST may be sent again
    backoff_factor=0.3,
    respect_retry_after_header=True,
    raise_on_status=False,
)
_TIMEOUT = urllib3.Timeout(connect=10, read=35)  # API Gateway answers within 29 s


class SignedApi:
    """The API at `url`: the output ApiUrl of the stack `bincount-<stage>-api`.

    Raises BincountError for an address that is none, or that would send signed requests over plain HTTP.
    """

    def __init__(self, *, stage: Stage, url: str, connections: int) -> None:
        self._stage = stage
        self._url = api_address(url)
        self._pool = pool_for(
            self._url,
            proxied=not stage.is_embedded,
            maxsize=connections,
            retries=_RETRY,
            timeout=_TIMEOUT,
            ca_certs=stage.ca_bundle,
        )
        proxy = None if stage.is_embedded else proxy_for(self._url)
        self._through = f" through the proxy {shown(proxy)}" if proxy else ""

    def post(self, path: str, data: bytes, *, content_type: str) -> Any:
        """The JSON that POST on `path` (`/count?expected=3`) answers.

        Raises Refused for this one request, BincountError where the caller may ask nothing.
        """
        url = f"{self._url}{path}"
        shown_url = url.partition("?")[0]
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        try:
            signature = signed(self._stage, url=url, data=data, headers=headers)
            response = self._pool.request("POST", url, body=data, headers=signature)
        except urllib3.exceptions.HTTPError as error:
            reason = shortened(str(getattr(error, "reason", None) or error), 200)
            words = f"no answer from {shown_url}{self._through}: {reason}: check address, network and proxy"
            raise Refused(UNREACHABLE, words) from error
        text = response.data.decode("utf-8", errors="replace")
        if response.status == 403:
            said = of_response(text, status=403)
            raise BincountError(
                f"{shown_url} answered 403: {said}. The caller needs the right execute-api:Invoke on this "
                "API; one that asks for API keys is not for this client"
            )
        if response.status != 200:
            raise of_response(text, status=response.status)
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise of_response(text, status=response.status) from error


def api_address(url: str) -> str:
    """`url` without a slash at its end. Raises BincountError where it is no address for signed requests."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise BincountError(f"{url!r} is not an address of an API: https://… is expected")
    if parts.scheme == "http" and parts.hostname != "127.0.0.1":
        raise BincountError(f"{url!r}: signed requests go over https only: write https://…")
    return url.rstrip("/")


def signed(stage: Stage, *, url: str, data: bytes, headers: dict[str, str]) -> dict[str, str]:
    """The headers of a POST to a stage's API with the signature of the caller's credentials (SigV4)."""
    from botocore.auth import SigV4Auth  # here, as in stage.py
    from botocore.awsrequest import AWSRequest

    request = AWSRequest(method="POST", url=url, data=data, headers=headers)
    SigV4Auth(stage.credentials, "execute-api", stage.region).add_auth(request)
    return dict(request.headers.items())
