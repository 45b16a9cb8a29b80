"""Runs the same commands that a person would type, with a bound on their time, and shows where it is."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.tools.trial.journal import StepFailed


class Progress:
    """Lines on standard output, each with the time since the trial's start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """A line with the elapsed time."""
        seconds = int(time.monotonic() - self._began)
        print(f"[{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}] {text}", flush=True)

    def detail(self, text: str) -> None:
        """What a step is at."""
        self.say(f"    {text}")


ROOT = Path(__file__).resolve().parents[3]
GRACE_SECONDS = 20
LAST_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended, and what it said on each of its outputs."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The end of what it said, which is where a fault is."""
        lines = [line.strip() for line in f"{self.out}\n{self.err}".splitlines() if line.strip()]
        return "\n".join(lines[-LAST_LINES:])


class Commands:
    """In `region`, whatever the shell says. Output goes to `log` too; `deadline` is of time.monotonic()."""

    def __init__(self, *, log: Path, deadline: float, region: str) -> None:
        self._log = log
        self._environment = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "COLUMNS": "200"}
        self.deadline = deadline

    def cdk(self, *arguments: str) -> Done:
        """`npx cdk …`, as installed here."""
        return self.run(["npx", "--no-install", "cdk", *arguments, "--no-color", "--no-notices"])

    def bincount(self, *arguments: str) -> Done:
        """`bincount …` with the caller's credentials."""
        return self.run([sys.executable, "-m", "bincount", *arguments])

    def infra(self, module: str, *arguments: str, typed: str = "") -> Done:
        """`python -m infra.tools.<module> …`, as make calls it."""
        return self.run([sys.executable, "-m", f"infra.tools.{module}", *arguments], typed=typed)

    def run(self, command: Sequence[str], *, typed: str = "") -> Done:
        """Run it to its end. Raises StepFailed at the deadline; it never outlives an exception."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(command)}\n")
            log.flush()
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C reaches the trial alone, which ends what it started
            )
            try:
                out, err = process.communicate(typed, timeout=max(1, self.deadline - time.monotonic()))
            except subprocess.TimeoutExpired as error:
                raise StepFailed(
                    f"{shlex.join(command[:6])} … did not end within the trial's time"
                ) from error
            finally:
                _end(process)
            log.write(f"{out}{err}\n")
        return Done(code=process.returncode, out=out, err=err)


def _end(process: subprocess.Popen[str]) -> None:
    """End it with all that it started, where it has not ended."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return
