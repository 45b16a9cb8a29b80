"""A TCP proxy on 127.0.0.1 that holds back every request for a while, as a distant S3 does.

    python benchmarks/latency_proxy.py --upstream PORT --port PORT --milliseconds 30 --log FILE

On SIGTERM it writes the requests that came, one a line (`<verb> <path>`; a PUT that copies is COPY), and the
number of connections that carried them.
"""

import argparse
import asyncio
import json
import signal
from collections import deque
from pathlib import Path
from typing import Any

import uvloop

VERBS = (b"GET ", b"PUT ", b"HEAD", b"POST", b"DELE")


class Seen:
    """What came through."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.connections = 0

    def note(self, data: bytes) -> None:
        """Clients send a request's head in one piece, and a JPEG does not begin with a verb."""
        head = data.partition(b"\r\n\r\n")[0]
        verb, path, _ = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
        copies = b"\nx-amz-copy-source:" in head.lower()
        self.requests.append(f"{'COPY' if copies else verb} {path}")


class Upstream(asyncio.Protocol):
    """The server's side: what it answers goes back at once."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.close()


class Client(asyncio.Protocol):
    """The caller's side: each piece goes on when its time has come, in order."""

    def __init__(self, *, port: int, seconds: float, seen: Seen) -> None:
        self._port, self._seconds, self._seen = port, seconds, seen
        self._waiting: deque[bytes] = deque()
        self._server: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._seen.connections += 1
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._server, _ = await loop.create_connection(
            lambda: Upstream(self._transport), "127.0.0.1", self._port
        )

    def data_received(self, data: bytes) -> None:
        if data[:4] in VERBS:
            self._seen.note(data)
        self._waiting.append(data)
        asyncio.get_running_loop().call_later(self._seconds, self._send)

    def _send(self) -> None:
        if self._server is not None:
            self._server.write(self._waiting.popleft())
        else:  # a connection that takes longer than the delay
            asyncio.get_running_loop().call_later(0.001, self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._server is not None:
            self._server.close()


async def serve(options: argparse.Namespace) -> None:
    """Until SIGTERM."""
    seen, loop, ended = Seen(), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    seconds = options.milliseconds / 1000
    await loop.create_server(
        lambda: Client(port=options.upstream, seconds=seconds, seen=seen),
        "127.0.0.1",
        options.port,
        backlog=1024,
    )
    await ended.wait()
    options.log.write_text(json.dumps({"requests": seen.requests, "connections": seen.connections}))


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--upstream", "--port", "--milliseconds"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
