"""The page's HTTP routes: its files, `page.json`, `POST count` and `POST labels`."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bincount.counting.image import media_type
from bincount.errors import BincountError
from bincount.page.errors import PageError, error_response, json_response
from bincount.page.guard import Guard
from bincount.page.label import BadLabel, LabelFolder, read_label
from bincount.page.queue import Queue
from bincount.page.upstream import Counter, Labels, Reply, Unreachable
from bincount_core.limits import ENDPOINT_BYTES, MAX_EXPECTED

_BODY_SECONDS = 20.0
_LABEL_BYTES = 8_192
_Answer = TypeVar("_Answer")
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one page server offers.

    web: the folder with the page's files.
    counter: where images are counted; labels: where labels are kept.
    facts: what `page.json` says to the page: `stage`, `drawn` (the model learned from drawn bins), `examples`
        (a list of `{"file", "expected"}`, files of the folder `examples`), `queue` (there is one).
    queue: the images that wait for a person, where there are any.
    """

    web: Path
    counter: Counter
    labels: Labels | LabelFolder
    facts: dict[str, Any]
    examples: Path | None = None
    queue: Queue | None = None


def create_app(page: Page, *, hosts: Iterable[str]) -> ASGIApp:
    """The ASGI application; `hosts` are the values of the header Host that it answers to."""
    routes = _Routes(page)
    listed: list[Route | Mount] = [
        Route("/page.json", routes.facts, methods=["GET"]),
        Route("/count", routes.count, methods=["POST"]),
        Route("/labels", routes.label, methods=["POST"]),
    ]
    if page.queue:
        listed.append(Route("/queue", routes.queue, methods=["GET"]))
        listed.append(Route("/queue/image", routes.queue_image, methods=["GET"]))
    if page.examples:
        listed.append(Mount("/examples", StaticFiles(directory=page.examples)))
    listed.append(Mount("/", StaticFiles(directory=page.web, html=True)))
    handlers: dict[Any, Any] = {
        HTTPException: _http_error,
        PageError: _page_error,
        ClientDisconnect: _gone,
        Exception: _failed,
    }
    packed = [Middleware(GZipMiddleware)]  # texts and scripts cross a slow line at a third of their size
    return Guard(Starlette(routes=listed, middleware=packed, exception_handlers=handlers), hosts=hosts)


class _Routes:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._facts = json.dumps(page.facts).encode()

    async def facts(self, request: Request) -> Response:
        """What the page needs to know beforehand."""
        return json_response(200, self._facts)

    async def count(self, request: Request) -> Response:
        """One image to the counter; its answer as it came."""
        expected, explain = _asked(request)
        image = await _body(request, most=ENDPOINT_BYTES)
        kind = media_type(image)
        reply = await _ask(
            lambda: self._page.counter.count(image, media_type=kind, expected=expected, explain=explain)
        )
        return _answer(reply)

    async def label(self, request: Request) -> Response:
        """A person's count."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise PageError(415, "unsupported_media_type", "a label is application/json")
        try:
            label = read_label(await _body(request, most=_LABEL_BYTES))
        except BadLabel as error:
            raise PageError(422, "bad_label", str(error)) from error
        labels = self._page.labels
        if isinstance(labels, LabelFolder):
            return json_response(200, json.dumps(await run_in_threadpool(labels.keep, label)).encode())
        return _answer(await _ask(lambda: labels.label(label)))

    async def queue(self, request: Request) -> Response:
        """What waits for a person, in propose's order."""
        queue, by = self._queue(), request.query_params.get("by", "").strip()
        return json_response(200, json.dumps(await _ask(lambda: queue.propose(by=by))).encode())

    async def queue_image(self, request: Request) -> Response:
        """One of their images."""
        queue, request_id = self._queue(), request.query_params.get("id", "")
        found = await _ask(lambda: queue.image(request_id))
        if found is None:
            raise PageError(404, "not_found", "there is no such image in the queue")
        return Response(found[0], media_type=found[1], headers={"cache-control": "no-store"})

    def _queue(self) -> Queue:
        assert self._page.queue is not None  # the routes are there with a queue alone
        return self._page.queue


def _asked(request: Request) -> tuple[int | None, bool]:
    """The expected number, and whether the map is asked for: `?expected=3,explain=1`, as the API takes it."""
    given = request.query_params.getlist("expected")
    if not given:
        return None, False
    number, _, wish = given[0].rpartition(",") if "explain" in given[0] else (given[0], "", "")
    if wish not in ("", "explain=0", "explain=1"):
        raise PageError(422, "bad_explain", f"{wish[:20]!r}: explain=1 is expected")
    if len(given) > 1 or not (_COUNT.fullmatch(number) or (wish and not number)):
        message = f"expected={given[0][:20]!r}: a whole number from 0 to {MAX_EXPECTED} is expected, once"
        raise PageError(422, "bad_expected_count", message)
    return int(number) if number else None, wish == "explain=1"


async def _body(request: Request, *, most: int) -> bytes:
    """The request's body. Raises PageError where it is empty, too large or too slow."""
    too_large = PageError(413, "body_too_large", f"at most {most} bytes are taken: send it scaled down")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > most:
        raise too_large
    found = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                found += piece
                if len(found) > most:
                    raise too_large
    except TimeoutError as error:
        raise PageError(408, "body_timeout", f"the body took more than {_BODY_SECONDS:.0f} s") from error
    if not found:
        raise PageError(400, "empty_body", "the body is empty")
    return bytes(found)


async def _ask(call: Callable[[], _Answer]) -> _Answer:
    """What the other side says, or the caller's own fault: no credentials, for one."""
    try:
        return await run_in_threadpool(call)
    except Unreachable as error:
        raise PageError(502, "upstream_failed", f"nobody answers behind this page ({error})") from error
    except (BincountError, BotoCoreError) as error:
        raise PageError(403, "forbidden", str(error)) from error


def _answer(reply: Reply) -> Response:
    """The answer as it came where it is JSON; a proxy's page or a redirect is not handed on."""
    try:
        json.loads(reply.body)
        ours = reply.status == 200 or reply.status >= 400
    except (ValueError, RecursionError):
        ours = False
    if not ours:
        message = f"HTTP {reply.status} without JSON came from behind this page"
        return error_response(502, "upstream_failed", message)
    return json_response(reply.status, reply.body, retry_after=reply.retry_after)


async def _page_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, PageError)
    return fault.response()


async def _http_error(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    if fault.status_code == 405:
        return error_response(405, "method_not_allowed", f"{request.url.path} does not take {request.method}")
    return error_response(404, "not_found", "there is no such file")


async def _failed(request: Request, fault: Exception) -> Response:
    # Starlette raises it once more after this answer: the terminal shows it, the browser does not.
    return error_response(500, "internal_error", "the page's server failed: its terminal says why")


async def _gone(request: Request, fault: Exception) -> Response:
    return Response(status_code=499)
