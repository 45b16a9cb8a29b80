"""Reading a request's body within its limits: bytes, time, and memory for all requests together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.requests import Request

from inference.http.errors import RequestError


class BodyReader:
    """Reads bodies of at most `max_bytes` within `seconds`, at most `buffered_bytes` of them in memory."""

    def __init__(self, *, max_bytes: int, seconds: float, buffered_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._buffered_bytes = buffered_bytes
        self.buffered = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncGenerator[bytes]:
        """The whole body, counted as held in memory until the block ends.

        Raises RequestError: 413 `body_too_large`, 408 `body_timeout`, 503 `overloaded` where memory is short.
        """
        chunks: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._collect(request, chunks)
            except TimeoutError as error:
                raise self._too_slow() from error
            yield b"".join(chunks)
        finally:
            self.buffered -= sum(map(len, chunks))

    async def _collect(self, request: Request, chunks: list[bytes]) -> None:
        """Append the body's pieces to `chunks`, counting each in `buffered`."""
        if int(request.headers.get("content-length", 0)) > self._max_bytes:
            raise self._too_large()
        length = 0
        async for chunk in request.stream():
            chunks.append(chunk)
            length += len(chunk)
            self.buffered += len(chunk)
            if length > self._max_bytes:
                raise self._too_large()
            if self.buffered > self._buffered_bytes:
                raise _no_memory()

    def _too_large(self) -> RequestError:
        message = f"the body has more than {self._max_bytes} bytes: send a smaller or more compressed image"
        return RequestError(413, "body_too_large", message, of_image=True)

    def _too_slow(self) -> RequestError:
        message = f"the body took longer than {self._seconds:g} s to arrive: send it again"
        return RequestError(408, "body_timeout", message)


def _no_memory() -> RequestError:
    return RequestError(
        503, "overloaded", "too many bodies are being received: try again in 1 s", retry_after=1
    )
