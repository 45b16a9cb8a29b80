"""The inference server as a process of its own, on a free port of 127.0.0.1."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from demo.options import ROOT, DemoError

_READY_SECONDS = 120
_ENDING_SECONDS = 10


class InferenceServer:
    """`python -m inference` with a model, and its log in a file. A context manager; `wait` gives its address.

    It has none of the settings of the environment: they may be another server's, or the client's.
    """

    def __init__(self, *, model: Path, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BINCOUNT_", "SAGEMAKER_"))
        }
        command = [sys.executable, "-m", "inference", "--model-dir", str(model), "--port", "0"]
        # A session of its own: Ctrl-C is for this program, which then ends the server.
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self) -> str:
        """The server's address, once its model answers. Raises DemoError where it does not come up."""
        port = self._event("listening")["port"]
        self._event("ready")
        return f"http://127.0.0.1:{port}"

    def _event(self, name: str) -> dict[str, Any]:
        while True:
            try:
                event = self._events.get(timeout=_READY_SECONDS)
            except queue.Empty:
                raise DemoError(
                    f"the inference server did not come up in {_READY_SECONDS} s: see {self._log}"
                ) from None
            if event.get("event") == name:
                return event
            if event.get("event") in ("fatal", "ended"):
                raise DemoError(f"the inference server ended: {event.get('error', f'see {self._log}')}")

    def _read(self, lines: IO[str]) -> None:
        with self._log.open("w", encoding="utf-8") as log:
            for line in lines:
                log.write(line)
                log.flush()
                try:
                    event: dict[str, Any] = dict(json.loads(line))
                except (ValueError, TypeError):
                    continue  # not of the log: a warning of a library
                self._events.put(event)
        self._events.put({"event": "ended"})
