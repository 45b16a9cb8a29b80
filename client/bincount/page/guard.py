"""What a server on 127.0.0.1 refuses: pages of other origins, names that lead here (DNS rebinding)."""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bincount.page.errors import error_response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Nothing but the page's own files; no script and no style within a page."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware: refuses requests that do not come from the page itself, adds the headers that bind it.

    hosts: the values of `Host` that are this server, such as `127.0.0.1:8090`. A browser sends `Origin` with
    every POST, and no page can forge it; programs send none.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._fault(Headers(scope=scope), method=scope["method"])

        async def send_bound(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("cache-control", "no-cache")
            await send(message)

        app = error_response(403, "forbidden", fault) if fault else self._app
        await app(scope, receive, send_bound)

    def _fault(self, headers: Headers, *, method: str) -> str | None:
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return "this server has another name: open the address that it printed"
        origins = headers.getlist("origin")
        if origins and not (len(origins) == 1 and origins[0] in self._origins):
            return "only this server's own page may ask it"
        if method not in ("GET", "HEAD") and headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "only this server's own page may ask it"
        return None
