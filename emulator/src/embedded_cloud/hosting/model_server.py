"""One server process behind an endpoint."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded_cloud.hosting.capture import DataCapture
from embedded_cloud.hosting.connections import Answer, Connections, ServerGone, ServerTimeout
from embedded_cloud.jobs.output import LogStream
from embedded_cloud.processes import GuardedProcess

INVOKE_SECONDS = 60.0  # SageMaker's limit for a real-time answer
_PING_SECONDS = 2.0


class ModelServer:
    """Starts a server, reports when it is ready, carries requests to it and lets it end.

    `command` may hold `{model_dir}` and `{port}`. The server's output goes to `log`.
    """

    def __init__(
        self,
        *,
        variant: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        model_dir: Path,
        log: LogStream,
    ) -> None:
        self.variant = variant
        self.capture: DataCapture | None = None
        self._model_dir = model_dir
        self._log = log
        port = free_port()
        filled = [part.format(model_dir=model_dir, port=port) for part in command]
        self._process = GuardedProcess(command=filled, environment=environment, directory=directory)
        self._connections = Connections(port=port, timeout=INVOKE_SECONDS)
        self._ping = Connections(port=port, timeout=_PING_SECONDS)
        self._in_flight = 0
        self._idle = threading.Condition()
        self._pump = threading.Thread(target=self._copy_output, name="model-server-log", daemon=True)
        self._pump.start()

    def wait_ready(self, *, seconds: float) -> str | None:
        """Waits until `/ping` answers 200; returns None, or the reason why it never did."""
        deadline = time.monotonic() + seconds
        answered = "no answer"
        while time.monotonic() < deadline:
            code = self._process.poll()
            if code is not None:
                self._pump.join(timeout=5)
                return f"the server ended with exit code {code} before it was ready. {self._log.tail_text()}"
            try:
                status, _, _ = self._ping.request(method="GET", path="/ping", headers={})
            except (ServerGone, ServerTimeout):
                time.sleep(0.05)
                continue
            if status == 200:
                return None
            answered = f"HTTP {status}"
            time.sleep(0.1)
        return (
            f"did not pass the ping health check within {seconds:.0f} s (last: {answered}) "
            f"{self._log.tail_text()}"
        )

    def invoke(self, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST /invocations. Raises ServerGone or ServerTimeout."""
        with self._idle:
            self._in_flight += 1
        try:
            return self._connections.request(method="POST", path="/invocations", headers=headers, body=body)
        finally:
            with self._idle:
                self._in_flight -= 1
                self._idle.notify_all()

    def concurrent_transforms(self) -> int:
        """Requests that batch transform may send at a time, as `/execution-parameters` says; else 1."""
        try:
            status, _, content = self._ping.request(method="GET", path="/execution-parameters", headers={})
        except (ServerGone, ServerTimeout):
            return 1
        return int(json.loads(content).get("MaxConcurrentTransforms", 1)) if status == 200 else 1

    def drain_and_stop(self) -> None:
        """Lets requests in flight finish, then ends the server as SageMaker does: SIGTERM, SIGKILL after 30
        s.
        """
        with self._idle:
            self._idle.wait_for(lambda: self._in_flight == 0, timeout=INVOKE_SECONDS)
        self.stop(grace=30.0)

    def stop(self, *, grace: float) -> None:
        """SIGTERM, SIGKILL after `grace` seconds; the unpacked model is removed, captures written."""
        if self.capture:
            self.capture.close()
        self._connections.close()
        self._ping.close()
        self._process.stop(grace=grace)
        self._pump.join(timeout=5)
        shutil.rmtree(self._model_dir.parent, ignore_errors=True)

    def _copy_output(self) -> None:
        for line in self._process.output:
            self._log.write(line.decode("utf-8", errors="replace").rstrip("\r\n"))
        self._log.close()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
