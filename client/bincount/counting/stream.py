"""Runs a function over a stream of items with bounded concurrency, results as they come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")
# So many items wait beside those that are worked on: enough that no worker idles, few enough for memory.
_WAITING_PER_WORKER = 2


def stream(work: Callable[[_In], _Out], items: Iterable[_In], *, workers: int) -> Generator[_Out, None, None]:
    """Results in the order of completion. `items` is read only as far as workers are free.

    An exception of `work` ends the stream; leaving it early drops what was not begun.
    """
    source = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="bincount") as pool:
        waiting: set[Future[_Out]] = set()
        try:
            while True:
                room = workers * _WAITING_PER_WORKER - len(waiting)
                waiting |= {pool.submit(work, item) for item in islice(source, room)}
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


async def stream_async(
    work: Callable[[_In], _Out], items: Iterable[_In], *, pool: Executor, workers: int
) -> AsyncIterator[_Out]:
    """The same for asynchronous code, in the threads of `pool`."""
    source = iter(items)
    loop = asyncio.get_running_loop()
    waiting: set[asyncio.Future[_Out]] = set()
    try:
        while True:
            room = workers * _WAITING_PER_WORKER - len(waiting)
            waiting |= {loop.run_in_executor(pool, work, item) for item in islice(source, room)}
            if not waiting:
                return
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in waiting:
            future.cancel()
