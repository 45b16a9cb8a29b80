"""The real server behind a stand-in for API Gateway, and the command line as a person runs it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.unit.inference.conftest import (
    Running,
    encoded,
    gray,
    make_model,
    model_dir,
    schema,
    server,
    start_server,
)

__all__ = ["encoded", "gray", "make_model", "model_dir", "schema", "server", "start_server"]
ROOT = Path(__file__).parents[3]


class Api(ThreadingHTTPServer):
    """Passes each request on to the real server, as API Gateway does; keeps what came in `requests`.

    What is in `first` is answered before that: (status, document), such as API Gateway's own error responses.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.first: list[tuple[int, Any]] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        """What ApiUrl would be."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Api  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if self.server.first:
            status, document = self.server.first.pop(0)
            return self._answer(status, json.dumps(document).encode())
        query = parse_qs(urlsplit(self.path).query)
        attributes: dict[str, str] = {}
        if "expected" in query:
            attributes["X-Amzn-SageMaker-Custom-Attributes"] = query["expected"][0]
        headers = {
            "Content-Type": self.headers["Content-Type"],
            "Accept": self.headers["Accept"],
            **attributes,
        }
        got = httpx.post(f"{self.server.upstream}/invocations", content=body, headers=headers, timeout=30)
        return self._answer(got.status_code, got.content)

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def api(server: Running) -> Iterator[Api]:  # noqa: F811
    """The stand-in, in front of the real server."""
    with Api(server.url) as started:
        thread = threading.Thread(target=started.serve_forever, daemon=True)
        thread.start()
        yield started
        started.shutdown()


Bincount = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bincount(tmp_path: Path) -> Bincount:
    """Runs `bincount …` in `tmp_path` with nothing of this machine's account; `check` is its exit status."""

    def run(*arguments: str | Path, check: int, **variables: str) -> subprocess.CompletedProcess[str]:
        own = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        done = subprocess.run(
            [sys.executable, "-m", "bincount", *map(str, arguments)],
            capture_output=True, text=True, timeout=120, cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
                 "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true",
                 **own, **files, **variables},
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == check, done.stdout + done.stderr
        return done

    return run
