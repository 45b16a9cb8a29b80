"""AWS's own host names, for a browser that is told to find them here: APIs, and the login of a user pool.

A page that signs people in names its own address to the login, which knows it as it is on AWS.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from embedded_cloud.sagemaker.administration import Application, Receive, Scope, Send

_API = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(:\d+)?")
_LOGIN = re.compile(r"([a-z0-9-]+)\.auth\.[a-z0-9-]+\.amazoncognito\.com(:\d+)?")
_NO_PAGES = b"<!doctype html><title>Login</title><p>Login pages unavailable. Please contact an administrator."


def with_aws_hosts(
    application: Application,
    *,
    shows_pages: Callable[[str, str], bool | None],
    revoke: Callable[[str], Any],
) -> Application:
    """The ASGI application with these names in front.

    `shows_pages(domain, client)` says whether a login has pages for an app client; None where there is no
    such domain, or it is another pool's. `revoke(token)` is RevokeToken.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", [])).get(b"host", b"").decode("latin-1")
        if scope["type"] == "http" and (api := _API.fullmatch(host)):
            prefix = f"/_aws/execute-api/{api[1]}"
            raw = scope.get("raw_path", scope["path"].encode())
            scope = {**scope, "path": prefix + scope["path"], "raw_path": prefix.encode() + raw}
        elif scope["type"] == "http" and (login := _LOGIN.fullmatch(host)):
            if scope["path"] == "/oauth2/authorize":
                query = parse_qs(scope["query_string"].decode())
                shown = shows_pages(login[1], query.get("client_id", [""])[0])
                if not shown:
                    await _answer(send, 404 if shown is None else 200, b"" if shown is None else _NO_PAGES)
                    return
            elif scope["path"] == "/oauth2/revoke" and scope["method"] == "POST":
                form = parse_qs((await _body(receive)).decode())
                revoke(form.get("token", [""])[0])
                await _answer(send, 200, b"")
                return
        await application(scope, receive, send)

    return run


async def _body(receive: Receive) -> bytes:
    found = b""
    while True:
        message = await receive()
        found += message.get("body", b"")
        if not message.get("more_body"):
            return found


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
    headers.append((b"access-control-allow-origin", b"*"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
