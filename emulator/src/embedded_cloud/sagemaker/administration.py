"""What no API of AWS has: `POST /_embedded-cloud/training-jobs/<name>/interrupt`, as spot interrupts."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from embedded_cloud.errors import AwsError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
PREFIX = "/_embedded-cloud/"
_INTERRUPT = re.compile(rf"{PREFIX}training-jobs/([A-Za-z0-9-]+)/interrupt")


def with_administration(application: Application, *, interrupt: Callable[[str], None]) -> Application:
    """The ASGI application with these addresses in front; `interrupt` takes a training job's name.

    Unsigned: who runs the cloud asks, on 127.0.0.1. 204 where it was done, else 400 with `{"message"}`.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await application(scope, receive, send)
            return
        found = _INTERRUPT.fullmatch(scope["path"])
        if not found or scope["method"] != "POST":
            await _answer(send, 404, f"{scope['method']} {scope['path']} is unknown.")
            return
        try:
            await asyncio.to_thread(interrupt, found.group(1))
        except AwsError as error:
            await _answer(send, 400, error.message)
            return
        await _answer(send, 204, "")

    return run


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"message": message}).encode() if message else b""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
