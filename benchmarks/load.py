"""A frugal load generator: closed-loop callers over kept-alive connections, and what they saw.

Threads over urllib3 rather than a load-testing framework: the caller shares the CPUs with what it
measures, so its own CPU time is measured too and printed with every figure.
"""

import itertools
import resource
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import urllib3


@dataclass(slots=True)
class Load:
    """What some callers saw in one run; times are seconds."""

    callers: int
    wall: float = 0.0
    own_cpu: float = 0.0
    errors: int = 0
    accepted: list[float] = field(default_factory=list[float])
    refused: list[float] = field(default_factory=list[float])

    @property
    def per_second(self) -> float:
        return len(self.accepted) / self.wall

    def percentile(self, percent: float) -> float:
        """Milliseconds that this share of the accepted requests stayed under."""
        return float(np.percentile(self.accepted, percent)) * 1000 if self.accepted else float("nan")


def apply_load(*, url: str, bodies: list[bytes], callers: int, seconds: float) -> Load:
    """Let `callers` each send one image after the other to `url` for `seconds`; each answer is awaited."""
    load = Load(callers)
    pool = urllib3.PoolManager(maxsize=callers, retries=False, timeout=60)
    turn = itertools.count()
    start = time.perf_counter()
    cpu = _own_cpu()

    def call() -> None:
        while time.perf_counter() - start < seconds:
            _send(pool, url, bodies[next(turn) % len(bodies)], load)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.wall = time.perf_counter() - start
    load.own_cpu = _own_cpu() - cpu
    return load


def _send(pool: urllib3.PoolManager, url: str, body: bytes, load: Load) -> None:
    begun = time.perf_counter()
    response = pool.request("POST", f"{url}/invocations", body=body, headers={"Content-Type": "image/jpeg"})
    took = time.perf_counter() - begun
    if response.status == 200:
        load.accepted.append(took)
    elif response.status == 503:
        load.refused.append(took)
        time.sleep(0.05)
    else:
        load.errors += 1


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
