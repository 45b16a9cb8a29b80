"""CPUs and memory that this process really has."""

import ctypes
import gc
import math
import os
from pathlib import Path


def available_cpus(*, root: Path = Path("/")) -> int:
    """Whole CPUs this process may use, at least 1.

    The smallest of the CPU affinity and every CPU quota of the process's control groups, version 1
    (`cpu.cfs_quota_us` over `cpu.cfs_period_us`) and version 2 (`cpu.max`), from its own group up to the
    root. A quota of 1.5 CPUs counts as 2: two threads that are throttled a little beat one that idles.
    `root` is where /proc and /sys/fs/cgroup are looked for.
    """
    quotas = [q for q in map(_quota, _groups(root)) if q is not None]
    return max(1, min([len(os.sched_getaffinity(0)), *(math.ceil(q) for q in quotas)]))


def _groups(root: Path) -> list[Path]:
    """Folders that may hold a CPU quota for this process: each hierarchy's own group and its ancestors."""
    base = root / "sys/fs/cgroup"
    listing = root / "proc/self/cgroup"
    folders: list[Path] = [base, base / "cpu", base / "cpu,cpuacct"]
    for line in listing.read_text().splitlines() if listing.exists() else []:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in (base / controllers, base / "cpu") if controllers else (base, base / "unified"):
            own = mount / path.lstrip("/")
            folders += [own, *(p for p in own.parents if p.is_relative_to(mount))]
    return folders


def _quota(folder: Path) -> float | None:
    """CPUs granted by one control group; None where it sets no limit."""
    if (folder / "cpu.max").is_file():
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    if (folder / "cpu.cfs_quota_us").is_file():
        quota_us = int((folder / "cpu.cfs_quota_us").read_text())
        return None if quota_us <= 0 else quota_us / int((folder / "cpu.cfs_period_us").read_text())
    return None


# glibc raises its own threshold up to 32 MB once large blocks were freed, and then keeps the memory of
# decoded images: 570 MB stayed resident after eighteen of 24 million pixels, 195 MB with the threshold set.
_M_MMAP_THRESHOLD = -3
_MAPPED_FROM_BYTES = 1024 * 1024
# A threshold that is set also ends the growth of the other one, above which the free end of a heap goes
# back: at its 128 KB each image's memory was fetched anew, 184 page faults a request.
_M_TRIM_THRESHOLD = -1
_TRIMMED_FROM_BYTES = 8 * 1024 * 1024


def give_memory_back() -> None:
    """Let blocks above _MAPPED_FROM_BYTES go back to the system when freed (mallopt(3), glibc only)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIMMED_FROM_BYTES)


def freeze_garbage_collector() -> None:
    """Collect once, and never again look at what is alive now: modules, model, application.

    A full collection looks at some 50,000 objects: 17 ms on a quiet machine, in which no thread runs Python.
    The first one under load came with the first burst of callers, whose error responses then took up to 60 ms
    instead of up to 24 (64 callers, 2 CPUs).
    """
    gc.collect()
    gc.freeze()
