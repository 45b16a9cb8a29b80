"""The page's server: listens on 127.0.0.1, serves until Ctrl-C, opens the browser where there is one."""

import contextlib
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from bincount.errors import BincountError
from bincount.page.app import Page, create_app

HOST = "127.0.0.1"
_REQUESTS_AT_ONCE = 64
_LEAVING_SECONDS = 3


def web_folder() -> Path:
    """The page's files: `web/` of the repository. Raises BincountError where this is no clone of it."""
    folder = Path(__file__).resolve().parents[3] / "web"
    if not (folder / "index.html").is_file():
        raise BincountError(
            f"the page's files are not in {folder}: run `bincount page` from a clone of the repository"
        )
    return folder


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; 0 takes a free port. Raises BincountError where the port is in use."""
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        raise BincountError(
            f"port {port} of {HOST} cannot be used: {error.strerror}: give another one"
        ) from error


def serve_page(
    page: Page, *, listener: socket.socket, started: Callable[[str], None], browser: bool = True
) -> None:
    """Serve until Ctrl-C or SIGTERM; `started` gets the address once the page answers."""
    port = listener.getsockname()[1]
    address = f"http://{HOST}:{port}/"
    app = create_app(page, hosts=(f"{HOST}:{port}", f"localhost:{port}"))
    config = uvicorn.Config(
        app, ws="none", lifespan="off", log_level="error", access_log=False, server_header=False,
        proxy_headers=False, limit_concurrency=_REQUESTS_AT_ONCE, timeout_graceful_shutdown=_LEAVING_SECONDS,
    )  # fmt: skip
    server = _Server(config, ready=lambda: _announce(address, started=started, browser=browser))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server that says when it answers."""

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _announce(address: str, *, started: Callable[[str], None], browser: bool) -> None:
    started(address)
    if browser and _has_screen():
        # Some browsers take a while to answer; none of them may keep the server from serving.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _has_screen() -> bool:
    """Whether a browser with a window can be there: not on a server, not over ssh, not in CI."""
    if not sys.stdout.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
