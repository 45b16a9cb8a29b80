"""A real S3 over HTTP for the benchmark of data preparation, and what its processes cost."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MILLISECONDS = 30
HERE = Path(__file__).resolve().parent


@dataclass
class Phase:
    """One side's run through the proxy; seconds, and CPU seconds a process."""

    requests: list[str] = field(default_factory=list[str])
    connections: int = 0
    wall: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def per_second(self) -> float:
        return len(self.requests) / self.wall

    def verbs(self) -> str:
        """`GET 4001, COPY 2000, …`"""
        counted = Counter(line.split(" ", 1)[0] for line in self.requests)
        return ", ".join(f"{verb} {count}" for verb, count in sorted(counted.items()))

    def load(self) -> str:
        """Cores that each process kept busy."""
        return ", ".join(f"{name} {seconds / self.wall:.2f}" for name, seconds in self.cpu.items())


@dataclass
class Server:
    """The S3 server: `environment` leads an SDK to it."""

    port: int
    pid: int
    folder: Path

    def environment(self, port: int | None = None) -> dict[str, str]:
        own = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return os.environ | own

    @contextlib.contextmanager
    def phase(self) -> Iterator[tuple[Phase, dict[str, str]]]:
        """A fresh proxy that delays every request; the phase is filled in at the end."""
        port, log, phase = free_port(), self.folder / "proxy.json", Phase()
        numbers = ["--upstream", str(self.port), "--port", str(port), "--milliseconds", str(MILLISECONDS)]
        command = [sys.executable, str(HERE / "latency_proxy.py"), *numbers, "--log", str(log)]
        proxy = subprocess.Popen(command)
        try:
            wait_for(port, proxy)
            before = {"server": _cpu(self.pid), "proxy": _cpu(proxy.pid), "client": _children_cpu()}
            started = time.perf_counter()
            yield phase, self.environment(port)
            phase.wall = time.perf_counter() - started
            after = {"server": _cpu(self.pid), "proxy": _cpu(proxy.pid), "client": _children_cpu()}
            phase.cpu = {name: after[name] - before[name] for name in after}
        finally:
            proxy.send_signal(signal.SIGTERM)
            proxy.wait()
        seen = json.loads(log.read_text())
        phase.requests, phase.connections = seen["requests"], seen["connections"]


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    """ministack, in a process of its own."""
    port = free_port()
    own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
    with (folder / "server.log").open("wb") as log:
        environment = os.environ | own | {"TMPDIR": str(folder)}
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            yield Server(port, process.pid, folder)
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until something listens there."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"error: {process.args!r} ended with {process.returncode} before it listened")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children_cpu() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system + spent.user + spent.system
