"""How this process's memory is given back to the system, and what Python's collector leaves alone."""

import ctypes
import gc

# glibc raises its own threshold up to 32 MB once large blocks were freed, and then keeps the memory of
# decoded images: 570 MB stayed resident after eighteen of 24 million pixels, 195 MB with the threshold set.
_M_MMAP_THRESHOLD = -3
_MAPPED_FROM_BYTES = 1024 * 1024
# A threshold that is set also ends the growth of the other one, above which the free end of a heap goes
# back: at its 128 KB each photograph's memory was fetched anew, 184 page faults a request.
_M_TRIM_THRESHOLD = -1
_TRIMMED_FROM_BYTES = 8 * 1024 * 1024


def give_memory_back() -> None:
    """Let blocks above _MAPPED_FROM_BYTES go back to the system when freed (mallopt(3), glibc only)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIMMED_FROM_BYTES)


def spare_what_stays() -> None:
    """Collect once, and never again look at what is alive now: modules, model, application.

    A full collection looks at some 50,000 objects: 17 ms on a quiet machine, in which no thread runs Python.
    The first one under load came with the first burst of callers, whose refusals then took up to 60 ms
    instead of up to 24 (64 callers, 2 CPUs).
    """
    gc.collect()
    gc.freeze()
