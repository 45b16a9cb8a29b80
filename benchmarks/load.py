"""A frugal load generator: wrk's closed-loop callers over kept-alive connections, and what they saw.

wrk (Debian and Homebrew: `wrk`, 4.1 or newer) is C over epoll: it shares the CPUs with what it measures, so
the cheapest one is taken, and its CPU time is measured too and printed with every figure. Where it may (Linux
and root) it goes before ordinary processes: callers on another machine would not wait for the server's CPUs
either. Without that, callers waited up to 0.3 s for their own turn, and it seemed the server's time.
"""

import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).with_name("load.lua")
PAUSE_AFTER_ERROR_MS = 50
_REQUESTS_HELD = 1024
"""Requests that all callers together keep written (60 MB): one sends all 548 bins, each of 64 sixteen."""


@dataclass(frozen=True, slots=True)
class Load:
    """What some callers saw in one run; times are seconds.

    A request that was still under way at the end is not counted: at most one a caller.
    """

    seconds: float
    own_cpu: float
    accepted: tuple[float, ...]
    rejected: tuple[float, ...]
    errors: int

    @property
    def per_second(self) -> float:
        return len(self.accepted) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds that this share of the accepted requests stayed under."""
        return float(np.percentile(self.accepted, percent)) * 1000 if self.accepted else float("nan")


def require_wrk() -> str:
    """wrk's version line. Raises SystemExit where it is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("no `wrk` on the PATH: install it (apt install wrk, brew install wrk)")
    return subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.splitlines()[0]


@cache
def first_of_all() -> list[str]:
    """The words that put a command before all ordinary processes (chrt); none where that is not allowed."""
    words = ["chrt", "--rr", "1"]
    if shutil.which(words[0]) is None:
        return []
    allowed = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    return words if allowed else []


def apply_load(*, url: str, images: list[Path], callers: int, seconds: float) -> Load:
    """Let `callers` each send one image after the other to `url` for `seconds`; each answer is awaited.

    A caller whose request was rejected pauses for PAUSE_AFTER_ERROR_MS.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
        listing.write("\n".join(str(path.resolve()) for path in images) + "\n")
        listing.flush()
        command = ["wrk", f"-t{callers}", f"-c{callers}", f"-d{seconds:g}s", "--timeout", "120s"]
        command += ["-s", str(SCRIPT), url, "--", listing.name, str(PAUSE_AFTER_ERROR_MS)]
        command += [str(_REQUESTS_HELD // callers)]
        cpu = _children_cpu()
        ended = subprocess.run(first_of_all() + command, capture_output=True, text=True, check=True)
        cpu = _children_cpu() - cpu
    answers = [line.split()[1:] for line in ended.stdout.splitlines() if line.startswith("answer ")]
    (broken,) = (line.split()[1] for line in ended.stdout.splitlines() if line.startswith("broken "))
    other = sum(status not in ("200", "503") for status, _ in answers)
    return Load(
        seconds=seconds,
        own_cpu=cpu,
        accepted=tuple(float(took) for status, took in answers if status == "200"),
        rejected=tuple(float(took) for status, took in answers if status == "503"),
        errors=other + int(broken),
    )


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
