"""HTTP/1.1 connections with limits on the time and size of what comes before a request has begun."""

import asyncio
import json
import uuid
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from inference.http.errors import RequestError

MAX_HEADER_BYTES = 32_768
_OFFERS = (b"upgrade", b"http2-settings")


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on what a caller may leave unfinished.

    uvicorn itself waits without limit for the first byte of a connection, for the end of a request's headers,
    and for the rest of a body whose request has its error response already. Here a connection that takes
    longer than `patience_seconds` for one of them is closed, and headers above MAX_HEADER_BYTES get 431. Such
    a body is dropped as it comes: a caller that sends first and reads then sees the error response, no reset.

    A caller may offer another protocol (Java's HttpClient: `Upgrade: h2c`). uvicorn's parser stops behind the
    headers of such a request, and its body is lost. Here the offer is passed over (RFC 9110, section 7.8).
    """

    patience_seconds: float
    _timer: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0
    _message_complete = True

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)
            return
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                message = f"headers are limited to {MAX_HEADER_BYTES} bytes: send fewer or shorter ones"
                self._send_error(RequestError(431, "headers_too_large", message))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._message_complete = False
        self._in_headers = True
        self._header_bytes = 0
        self._start_waiting()

    def _parse(self, data: bytes) -> None:
        """Give `data` to the parser. Where it stops at an offer, a new one goes on as if there were none."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserError("CONNECT") from offer
                data = data[offer.args[0] :]
                head = self._head_without_offer()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
                self.parser.feed_data(head)
            else:
                return

    def _head_without_offer(self) -> bytes:
        """Request line and headers once more, without those that offer another protocol."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                options = (option.strip() for option in value.split(b","))
                value = b", ".join(option for option in options if option.lower() not in _OFFERS)
            if name not in _OFFERS and value:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_headers = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._message_complete = True
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._message_complete and not self.transport.is_closing():
            self._start_waiting()

    def send_400_response(self, msg: str) -> None:
        self._send_error(RequestError(400, "bad_request", "expected an HTTP/1.1 request, got something else"))

    def _start_waiting(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(self.patience_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_error(self, error: RequestError) -> None:
        """Answer before there is a request that the application could see, and close."""
        body = json.dumps(error.body(request_id=uuid.uuid4().hex)).encode()
        phrase = HTTPStatus(error.status).phrase
        head = (
            f"HTTP/1.1 {error.status} {phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._stop_waiting()
        self.transport.write(head.encode() + body)
        self.transport.close()


def bounded_protocol(*, patience_seconds: float) -> type[BoundedProtocol]:
    """The protocol with its limit: uvicorn takes a class and makes the instances itself."""
    return type("BoundedProtocol", (BoundedProtocol,), {"patience_seconds": patience_seconds})
