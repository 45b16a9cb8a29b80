"""Many things at once, in order, without holding all of them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from data_prep.storage.store import Later

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ordered(work: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Iterator[Result]:
    """The results of `work`, in the order of `items`, with `workers` of them under way at a time.

    At most twice as many are begun and not yet taken by the caller. The first error ends it: what was not
    begun is cancelled.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="data-prep")
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def pipelined(
    begin: Callable[[Item], Later[Result]],
    items: Iterable[Item],
    *,
    width: int,
    weight: Callable[[Item], int] = lambda _: 0,
    most: int = 0,
) -> Iterator[Result]:
    """The results of what `begin` starts, in the order of `items`, with `width` of them under way at a time.

    One thread does it all: the waiting is the store's. Of what is under way the weights (bytes) sum up to at
    most `most`, but one item always may. The first error ends it; what was begun then ends unseen.
    """
    waiting: deque[tuple[Later[Result], int]] = deque()
    load = 0
    for item in items:
        heavy = weight(item)
        while waiting and (len(waiting) >= width or load + heavy > most):
            first, was = waiting.popleft()
            load -= was
            yield first()
        waiting.append((begin(item), heavy))
        load += heavy
    while waiting:
        yield waiting.popleft()[0]()
