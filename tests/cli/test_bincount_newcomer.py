"""Each command of `bincount` where nothing is right yet: one line that says what to do, never a traceback.

Recorded answers of AWS take the place of AWS, which cannot be had here; all else is the program and the SDK.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "count": ("count", "bin.jpg"),
    "site": ("site", "bins"),
    "site in S3": ("site", "s3://bucket/sites/one"),
    "train": ("train",),
    "models": ("models",),
    "approve": ("models", "approve", "1"),
    "reject": ("models", "reject", "1"),
    "rollback": ("models", "rollback", "1"),
    "status": ("status",),
}
SOME = {name: COMMANDS[name] for name in ("count", "site", "approve", "status")}
"""One of each kind: what is the same for all is not asked of all (each is a process of its own)."""
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A fresh account on a fresh machine: no files of AWS, one attempt for each request."""
    (tmp_path / "bins").mkdir()
    for name in ("bin.jpg", "bins/1.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    return {
        "PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/client:{ROOT}/core", "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "eu-central-1",
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bincount", *arguments],
            capture_output=True, text=True, timeout=300, cwd=tmp_path, env={**environment, **variables},
        )  # fmt: skip

    return call


class RejectingServer(ThreadingHTTPServer):
    """Rejects every request as AWS does, with `code`, in the protocol that it came in."""

    code = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: RejectingServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        code = self.server.code
        if "x-www-form-urlencoded" in self.headers.get("Content-Type", ""):
            reported = (
                f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            )
        else:
            reported = json.dumps({"__type": code, "message": "no"})
        self.send_response(400)
        self.send_header("Content-Length", str(len(reported)))
        self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(reported.encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def aws() -> Generator[RejectingServer]:
    with RejectingServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_credentials(run: Run, command: tuple[str, ...]) -> None:
    line = one_line(run(*command))
    assert "`aws sso login`" in line and "AWS_PROFILE" in line


@pytest.mark.parametrize("command", SOME.values(), ids=SOME)
def test_no_region(run: Run, command: tuple[str, ...]) -> None:
    line = one_line(run(*command, AWS_REGION="", **KEYS))
    assert "--region" in line and "AWS_REGION" in line


@pytest.mark.parametrize("command", SOME.values(), ids=SOME)
def test_an_unknown_profile(run: Run, command: tuple[str, ...]) -> None:
    line = one_line(run(*command, "--profile", "nobody"))
    assert "nobody" in line and "name another profile" in line


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_session_that_has_ended(run: Run, aws: RejectingServer, command: tuple[str, ...]) -> None:
    aws.code = "ExpiredTokenException"
    assert "aws sso login" in one_line(run(*command, AWS_ENDPOINT_URL=aws.url, **KEYS))


@pytest.mark.parametrize("command", SOME.values(), ids=SOME)
def test_keys_that_aws_does_not_know(run: Run, aws: RejectingServer, command: tuple[str, ...]) -> None:
    aws.code = "UnrecognizedClientException"
    assert "not known to AWS" in one_line(run(*command, AWS_ENDPOINT_URL=aws.url, **KEYS))


@pytest.mark.parametrize("command", SOME.values(), ids=SOME)
def test_a_caller_without_the_right(run: Run, aws: RejectingServer, command: tuple[str, ...]) -> None:
    aws.code = "AccessDeniedException"
    assert "ask for this right" in one_line(run(*command, AWS_ENDPOINT_URL=aws.url, **KEYS))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_network(run: Run, command: tuple[str, ...]) -> None:
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    assert "check the network" in one_line(run(*command, **nowhere, **KEYS))


@pytest.mark.parametrize("name", ["Moon!", "a" * 12, ""])
def test_a_name_that_no_stage_can_have(run: Run, name: str) -> None:
    assert "cannot be a stage" in one_line(run("status", "--stage", name, **KEYS))


@pytest.mark.parametrize(
    "command", [(), ("count",), ("models", "approve"), ("nonsense",), ("count", "--nonsense")]
)
def test_a_wrong_command_line_is_reported_with_the_right_one(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 2 and "Usage: " in done.stderr + done.stdout


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 200_000, "caf\xe9"])
def test_a_request_that_is_none(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "request.json").write_text(text, encoding="latin-1")
    assert "request.json: " in one_line(run("train", "--request", "request.json", **KEYS))


def test_the_version(run: Run) -> None:
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("bincount 1.")


def test_ctrl_c_while_aws_is_waited_for(tmp_path: Path, environment: dict[str, str]) -> None:
    with socket.socket() as silent:  # it takes the connection and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-m", "bincount", "status"],
            cwd=tmp_path, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**environment, **KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"},
            # What a shell starts in the background, these tests too, would ignore the signal.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)
        connection.close()
    assert (process.returncode, "Traceback" in said) == (130, False), said
