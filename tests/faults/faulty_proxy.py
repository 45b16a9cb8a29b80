"""A proxy between the code under test and an S3 server, at which faults are injected on the wire."""

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["slow_down", "reset", "truncate", "gone"]
Chooser = Callable[[str, str], Fault | None]

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


def share_of(fault: Fault, share: float, *, seed: int = 0, method: str | None = None) -> Chooser:
    """That share of the requests (of that method) meets the fault."""
    draw = random.Random(seed)
    lock = threading.Lock()

    def choose(asked: str, path: str) -> Fault | None:
        with lock:
            return fault if (method is None or asked == method) and draw.random() < share else None

    return choose


class FaultyProxy:
    """Listens on 127.0.0.1 and hands every request on, except where `choose(method, path)` names a fault."""

    def __init__(self, *, upstream_port: int) -> None:
        self.choose: Chooser = lambda method, path: None
        self.met: Counter[Fault] = Counter()
        handler = type("Handler", (_Handler,), {"proxy": self, "upstream_port": upstream_port})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Ends the proxy."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy
    upstream_port: int

    def _serve(self) -> None:
        body = self._body()
        fault = self.proxy.choose(self.command, self.path)
        if fault is not None:
            self.proxy.met[fault] += 1
        if fault == "reset":
            self._reset()
        elif fault == "slow_down":
            self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
        elif fault == "gone":
            self._answer(404, [("Content-Type", "application/xml")], _NO_SUCH_KEY)
        else:
            self._forward(body, truncated=fault == "truncate")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _forward(self, body: bytes, *, truncated: bool) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        upstream.request(self.command, self.path, body=body, headers=headers)
        answer = upstream.getresponse()
        data = answer.read()
        dropped = {"transfer-encoding", "content-length", "connection"}
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in dropped]
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        upstream.close()
        self._answer(answer.status, kept, data, length=length, truncated=truncated and len(data) > 1)

    def _answer(
        self,
        status: int,
        headers: list[tuple[str, str]],
        data: bytes,
        *,
        length: str | None = None,
        truncated: bool = False,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if truncated else data)
        if truncated:
            self.wfile.flush()
            self.close_connection = True

    def _reset(self) -> None:
        # SO_LINGER of zero seconds makes close() send a RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.wfile.close()
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        if not self.wfile.closed:
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        return
