"""Runs the tests of experiments against a real MLflow, and reads back what they logged: `make mlflow-proof`.

What they logged into files is read back through `mlflow ui`.

.venv/bin/python -m benchmarks.mlflow.proof build/mlflow-venv
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
CALLS = ROOT / "tests" / "e2e" / "mlflow_calls_3.json"
START_SECONDS = 120
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def main(venv: Path) -> int:
    """0 where all holds; else 1, and what does not is on the screen."""
    python = str(venv / "bin" / "python")
    written = subprocess.run([python, HERE / "definitions.py"], check=True, capture_output=True, text=True)
    if written.stdout != CALLS.read_text(encoding="utf-8"):
        print(f"{CALLS} is not what this mlflow defines: write it anew (benchmarks/mlflow/definitions.py)")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "mlruns"
        database = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        with _started(venv, "server", *database, "--artifacts-destination", f"{folder}/files") as url:
            tests = [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_experiments.py"]
            environment = {**os.environ, "REAL_MLFLOW": url, "REAL_MLFLOW_FILES": str(files)}
            failed = subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode
            failed = failed or _read_back(python, url)
        with _started(venv, "ui", "--backend-store-uri", str(files)) as url:  # as docs/experiments.md has it
            return failed or _read_back(python, url)


def _read_back(python: str, url: str) -> int:
    command = [python, str(HERE / "read_back.py"), url]
    return subprocess.run(command, env={**os.environ, **QUIET}, check=False).returncode


@contextmanager
def _started(venv: Path, verb: str, *options: str) -> Iterator[str]:
    """`mlflow server` or `mlflow ui` with these options, and its URL."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "server.log").open("w") as log:
        port = _free_port()
        listens = ["--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
        command = [str(venv / "bin" / "mlflow"), verb, *listens, *options]
        environment = {**os.environ, **QUIET, "MLFLOW_ALLOW_FILE_STORE": "true"}
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5).close()
            return
        except OSError:
            time.sleep(1)
    raise SystemExit(f"mlflow did not start within {START_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))  # the server runs in another folder
