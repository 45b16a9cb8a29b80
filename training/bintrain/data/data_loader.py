"""Batches of decoded images, made ready ahead of the step that takes them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from bintrain.data.images import Images, Item
from bintrain.errors import TrainingError
from bintrain.log import say

AHEAD = 4
"""Batches that wait ready, or are being decoded."""
NOTICE = 30.0
"""Seconds without data after which the log mentions it, again and again."""
PATIENCE = 300.0
"""Seconds without data after which the job ends. (torch's processes wait ten minutes for one another.)"""

Ready = queue.Queue["tuple[Batch, list[Future[None]]] | BaseException | None"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """uint8 pixels [n, size, size, 3], class indices [n], and the images' places in their split [n]; weights
    [n] in the loss, None where all images of the split count alike."""

    pixels: Tensor
    labels: Tensor
    indices: Tensor
    weights: Tensor | None = None


class DataLoader:
    """Makes batches of `images` on `threads` threads.

    Threads, not processes: decoder and resizing let go of Python's lock, nothing is copied between
    processes, and containers' small /dev/shm is not needed. With `pin` batches lie in pinned memory, so that
    they go to the GPU while it computes.
    """

    def __init__(self, images: Images, *, threads: int, pin: bool) -> None:
        self._images = images
        self._threads = threads
        self._pin = pin

    def batches(self, plan: Iterable[Sequence[Item]]) -> Iterator[Batch]:
        """A batch for each entry of `plan`, in its order.

        Raises TrainingError at an unreadable image, and where the storage gives nothing for PATIENCE.
        """
        ready: Ready = queue.Queue(AHEAD)
        ended = threading.Event()
        stalled = threading.Event()
        with ThreadPoolExecutor(self._threads) as pool:
            producer = threading.Thread(target=self._produce, args=(plan, pool, ready, ended), daemon=True)
            producer.start()
            try:
                while (item := _take(ready, stalled=stalled)) is not None:
                    if isinstance(item, BaseException):
                        raise item
                    batch, decoding = item
                    for future in decoding:
                        future.result()
                    yield batch
            finally:
                ended.set()
                # A thread that hangs in a read is left there; it ends with the process.
                while producer.is_alive() and not stalled.is_set():
                    _drain(ready)
                    producer.join(0.01)
                pool.shutdown(cancel_futures=True)

    def _produce(
        self,
        plan: Iterable[Sequence[Item]],
        pool: ThreadPoolExecutor,
        ready: Ready,
        ended: threading.Event,
    ) -> None:
        try:
            for items in plan:
                if ended.is_set():
                    return
                ready.put(self._begin(items, pool=pool))
            ready.put(None)
        # Whatever it is, the thread that asked for batches must learn of it.
        except BaseException as error:
            ready.put(error)

    def _begin(self, items: Sequence[Item], *, pool: ThreadPoolExecutor) -> tuple[Batch, list[Future[None]]]:
        images = self._images
        indices = torch.tensor([index for index, _ in items])
        pixels = torch.empty(
            (len(items), images.size, images.size, 3), dtype=torch.uint8, pin_memory=self._pin
        )
        decoding = []
        if images.kept is not None:
            torch.index_select(images.kept, 0, indices, out=pixels)
        else:
            share = max(1, -(-len(items) // self._threads))
            decoding = [
                pool.submit(images.decode_into, pixels[first : first + share], items[first : first + share])
                for first in range(0, len(items), share)
            ]
        labels = torch.tensor([images.labels[index] for index, _ in items])
        weights = None if images.weights is None else images.weights[indices]
        return Batch(pixels=pixels, labels=labels, indices=indices, weights=weights), decoding


def _take(
    ready: Ready, *, stalled: threading.Event
) -> tuple[Batch, list[Future[None]]] | BaseException | None:
    began = time.monotonic()
    while True:
        try:
            return ready.get(timeout=NOTICE)
        except queue.Empty:
            waited = time.monotonic() - began
        if waited >= PATIENCE:
            stalled.set()
            raise TrainingError(
                f"the storage gave no image for {waited:.0f} s. Check it (the bucket, the key, the network), "
                "then start the job again: it goes on at its last checkpoint"
            )
        say(f"no image for {waited:.0f} s; the job waits up to {PATIENCE:.0f} s for the storage")


def _drain(ready: Ready) -> None:
    while not ready.empty():
        ready.get_nowait()
