"""An MLflow for the tests: its REST API in memory, or a real server, behind a gate that checks and breaks.

Each request is held to MLflow's own definition, in two versions (benchmarks/mlflow/definitions.py wrote
them). REAL_MLFLOW names the URL of a real server, to which the same tests then talk (`make mlflow-proof`).
"""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3

from tests.e2e.mlflow_memory import MemoryMlflow

HERE = Path(__file__).parent
CALLS = [json.loads((HERE / f"mlflow_calls_{version}.json").read_text())["calls"] for version in (2, 3)]
EXPERIMENT = "bincount-local"
Answer = tuple[int, bytes]
Server = Callable[[str, str, bytes], Answer]  # method, path with query, body


class Gate(ThreadingHTTPServer):
    """Stands before the server. `asked` are all requests, `faults` what was wrong in them.

    `broken` counts down with each request that writes: at 0 the request is done and its answer is lost
    (status 500), and all that follow answer 503 until it is None again.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ask = server
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.faults: list[str] = []
        self.broken: int | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def get(self, verb: str, **members: str) -> dict[str, Any]:
        """What the server says now, past the gate."""
        path = f"/api/2.0/mlflow/{verb}?{urlencode(members)}"
        return json.loads(self.ask("GET", path, b"")[1])

    def runs(self, experiment: str) -> dict[str, dict[str, Any]]:
        """The runs of an experiment by their names."""
        found = self.get("experiments/get-by-name", experiment_name=experiment)["experiment"]
        asked = json.dumps({"experiment_ids": [found["experiment_id"]], "max_results": 100}).encode()
        answer = json.loads(self.ask("POST", "/api/2.0/mlflow/runs/search", asked)[1])
        runs = answer.get("runs", [])
        named = {run["info"]["run_name"]: run for run in runs}
        assert len(named) == len(runs), "a run is there twice"
        return named

    def artifact(self, run: dict[str, Any], name: str) -> bytes:
        """A file of a run."""
        place = run["info"]["artifact_uri"].partition(":")[2].strip("/")
        status, body = self.ask("GET", f"/api/2.0/mlflow-artifacts/artifacts/{place}/{name}", b"")
        assert status == 200, body
        return body

    def curve(self, run: dict[str, Any], key: str) -> list[tuple[int, float]]:
        """Step and value of all that was logged of a metric."""
        found = self.get("metrics/get-history", run_id=run["info"]["run_id"], metric_key=key)
        return [(int(each.get("step", 0)), each["value"]) for each in found.get("metrics", [])]


class _Handler(BaseHTTPRequestHandler):
    server: Gate  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        gate, writes = self.server, is_write(self.command, self.path)
        gate.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        gate.faults += faults_of(self.command, self.path, body)
        if gate.broken is not None and gate.broken < 0:
            return self._answer(503, b"down")
        status, answer = gate.ask(self.command, self.path, body)
        if gate.broken is not None and writes:
            gate.broken -= 1
            if gate.broken < 0:
                return self._answer(500, b"the answer is lost")
        self._answer(status, answer)

    do_GET = do_POST = do_PUT = _pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def is_write(method: str, path: str) -> bool:
    """Whether a request changes something."""
    return method != "GET" and not path.endswith("/search")


def faults_of(method: str, path: str, body: bytes) -> list[str]:
    """What MLflow's definitions, the old one and the new one, do not know of a request."""
    parts = urlsplit(path)
    name = f"{method} {re.sub(r'(?<=/mlflow-artifacts/artifacts/).+', '<path:artifact_path>', parts.path)}"
    if method == "PUT":
        return [f"no call {name}" for calls in CALLS if name not in calls]
    given: Any = json.loads(body) if body else dict(parse_qsl(parts.query))
    return [
        fault
        for calls in CALLS
        for fault in ([f"no call {name}"] if name not in calls else _wrong(given, calls[name], name))
    ]


def _wrong(given: Any, wanted: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, dict):
        if not isinstance(given, dict):
            yield f"{place} is no object"
            return
        names = {name.rstrip("!"): kind for name, kind in wanted.items()}
        yield from (f"{place} has no {name}" for name in given if name not in names)
        yield from (
            f"{place} needs {name}" for name in wanted if name.endswith("!") and name[:-1] not in given
        )
        for name in given.keys() & names.keys():
            yield from _wrong(given[name], names[name], f"{place}.{name}")
    elif isinstance(wanted, list):
        for each in given:
            yield from _wrong(each, wanted[0], f"{place}[]")
    elif not _is(given, wanted):
        yield f"{place} is {given!r} and should be {wanted}"


def _is(value: Any, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and ("|" not in kind or value in kind.split("|"))


@contextmanager
def an_mlflow() -> Iterator[Gate]:
    """The real one of REAL_MLFLOW, else one in memory; it has no run of ours."""
    real = os.environ.get("REAL_MLFLOW")
    if real:
        _set_aside(_real(real))
    gate = Gate(_real(real) if real else MemoryMlflow().ask)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    try:
        yield gate
        assert not gate.faults, gate.faults
    finally:
        gate.shutdown()
        gate.server_close()


def _set_aside(ask: Server) -> None:
    """What another test logged gets another name."""
    status, found = ask("GET", f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={EXPERIMENT}", b"")
    if status == 200:
        number = json.loads(found)["experiment"]["experiment_id"]
        renamed = {"experiment_id": number, "new_name": f"{EXPERIMENT} {number}"}
        ask("POST", "/api/2.0/mlflow/experiments/update", json.dumps(renamed).encode())


def _real(url: str) -> Server:
    pool = urllib3.PoolManager()

    def ask(method: str, path: str, body: bytes) -> Answer:
        json_body = {"Content-Type": "application/json"} if body[:1] == b"{" and method == "POST" else {}
        answer = pool.request(method, url + path, body=body or None, headers=json_body)
        return answer.status, answer.data

    return ask
