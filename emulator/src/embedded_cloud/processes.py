"""Child processes that never outlive this one."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_GUARD = Path(__file__).with_name("process_guard.py")


class GuardedProcess:
    """A command under `process_guard.py`: it ends with everything it started when asked to, or when we die.

    Its standard output and error come as one stream of bytes in `output`.
    """

    def __init__(self, *, command: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
        )

    @property
    def output(self) -> IO[bytes]:
        """What the command prints."""
        assert self._process.stdout is not None
        return self._process.stdout

    def poll(self) -> int | None:
        """The exit code, or None while the command runs."""
        return self._process.poll()

    def wait(self, *, timeout: float | None = None) -> int | None:
        """Waits up to `timeout` seconds; the exit code, or None where it still runs."""
        try:
            return self._process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        """Asks the command to end (SIGTERM to its first process only, as to a container)."""
        self._say(b"T")

    def kill(self) -> None:
        """Kills the command and everything it started."""
        self._say(b"K")

    def stop(self, *, grace: float) -> int:
        """SIGTERM, then SIGKILL after `grace` seconds; returns the exit code."""
        self.terminate()
        code = self.wait(timeout=grace)
        if code is None:
            self.kill()
            code = self._process.wait()
        return code

    def _say(self, word: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(word)
        except BrokenPipeError:
            return  # the guard ended by itself in this instant, which is what was asked for
