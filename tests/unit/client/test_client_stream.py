"""Streams of any length are worked on with bounded concurrency and bounded reading ahead."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bincount.counting.stream import stream, stream_async

WORKERS = 4


def test_an_endless_stream_is_read_only_as_far_as_workers_are_free() -> None:
    read = itertools.count()
    results = stream(lambda number: number, read, workers=WORKERS)
    taken = sorted(itertools.islice(results, 100))
    results.close()
    assert len(set(taken)) == 100
    assert next(read) <= 100 + 2 * WORKERS + WORKERS


def test_never_more_are_worked_on_than_there_are_workers() -> None:
    lock, now, most = threading.Lock(), 0, 0
    full = threading.Barrier(WORKERS, timeout=30)

    def work(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        full.wait()
        with lock:
            now -= 1
        return number

    assert sorted(stream(work, range(5 * WORKERS), workers=WORKERS)) == list(range(5 * WORKERS))
    assert most == WORKERS


def test_an_exception_ends_the_stream() -> None:
    def work(number: int) -> float:
        return 1 / (number - 7)

    with pytest.raises(ZeroDivisionError):
        list(stream(work, itertools.count(), workers=WORKERS))


def test_an_exception_of_the_source_ends_the_stream() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise LookupError("source")

    with pytest.raises(LookupError):
        list(stream(lambda number: number, source(), workers=WORKERS))


def test_asynchronous_code_gets_the_same() -> None:
    async def collect() -> list[int]:
        with ThreadPoolExecutor(WORKERS) as pool:
            return [n async for n in stream_async(lambda n: 2 * n, range(50), pool=pool, workers=WORKERS)]

    assert sorted(asyncio.run(collect())) == list(range(0, 100, 2))
