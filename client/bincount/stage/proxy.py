"""The proxy of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), as the AWS SDK takes it."""

import urllib.request
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3

from bincount.errors import BincountError


def proxy_for(url: str) -> str | None:
    """The proxy through which `url` is asked; None where it is asked directly.

    NO_PROXY holds names, suffixes of names, or `*`. What listens on this machine is asked directly.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme, "").strip()
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy.removeprefix('//')}"


def pool_for(url: str, *, proxied: bool, **options: Any) -> urllib3.PoolManager:
    """A pool of connections to `url`, through its proxy where it has one and `proxied` allows it.

    Raises BincountError where the environment names a proxy of a kind that is not supported, such as SOCKS.
    """
    proxy = proxy_for(url) if proxied else None
    if proxy is None:
        return urllib3.PoolManager(**options)
    parts = _parts(proxy)
    # The address is not shown: what is wrong with it may be a sign in its password.
    if parts is None:
        raise BincountError(
            "the proxy in HTTPS_PROXY or HTTP_PROXY is not an address: http://host:port is expected; in a "
            "password / # ? @ are written %2F %23 %3F %40"
        )
    if parts.scheme not in ("http", "https"):
        raise BincountError(
            f"the proxy {shown(proxy)} is not supported: HTTPS_PROXY=http://host:port is expected"
        )
    headers = None
    if parts.username:
        given = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=given)
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _parts(proxy: str) -> SplitResult | None:
    """The proxy's address in its parts; None where it is none: no host, or a port that is not a number."""
    try:
        parts = urlsplit(proxy)
        return parts if parts.hostname and (parts.port is None or parts.port > 0) else None
    except ValueError:
        return None


def shown(proxy: str) -> str:
    """The proxy's address without the password that it may hold."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
