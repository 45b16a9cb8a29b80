"""How long a CPU itself stood still meanwhile: a busy host stops its guests' CPUs for tenths of a second."""

import contextlib
import os
import threading
import time
from types import TracebackType

_EVERY_SECONDS = 0.005
_FIRST_OF_ALL = 50


class Stalls:
    """`with Stalls() as stalls: ...`; afterwards `stalls.longest_ms` is the longest oversleep of any CPU.

    A thread on each CPU wakes every 5 ms and, where it may (Linux, root), goes before all ordinary ones, so
    that what keeps it waiting is the machine or its kernel, not the load.
    """

    def __init__(self) -> None:
        self._oversleeps: list[float] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(cpu,)) for cpu in _usable_cpus()]

    def __enter__(self) -> "Stalls":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @property
    def longest_ms(self) -> float:
        """Milliseconds; 0 where nothing was watched."""
        return 1000 * max(self._oversleeps, default=0.0)

    def _watch(self, cpu: int) -> None:
        with contextlib.suppress(AttributeError, PermissionError):
            os.sched_setaffinity(0, {cpu})
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_FIRST_OF_ALL))
        longest = 0.0
        while not self._ended.is_set():
            began = time.perf_counter()
            time.sleep(_EVERY_SECONDS)
            longest = max(longest, time.perf_counter() - began - _EVERY_SECONDS)
        self._oversleeps.append(longest)


def _usable_cpus() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
