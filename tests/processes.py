"""Commands of pages and servers of ours, run as real processes."""

import json
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_as_written(command: str) -> str:
    """What a command line prints that a page shows; it is run in this project's folder and must succeed."""
    done = subprocess.run(
        command, cwd=ROOT, shell=True, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


@contextmanager
def serving(
    command: Sequence[str], *, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> Generator[int]:
    """The port of the inference server that `command` starts in `folder`, once it is ready.

    At the end it is asked to end, and must do so cleanly.
    """
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            events = (json.loads(line) for line in server.stdout)
            port = next(event["port"] for event in events if event["event"] == "listening")
            next(event for event in events if event["event"] == "ready")
            yield port
        finally:
            server.terminate()
    assert server.returncode == 0
