"""Near-duplicates in two splits: images that are one photograph, saved again, scaled or brightened."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bincount_sources.split import SPLITS

NEAR = 32
"""Bits of 256 in which the hashes of near-duplicates differ at most.

Measured on 5,434 real bins: saved again (JPEG 70 and 40, WebP), halved, enlarged or brightened, 95 % differ
in at most 29 bits; of 14.7 million pairs of different blocks, empty bins among them, none in fewer than 41.
"""
MOST_PAIRS = 10_000
"""Pairs that are listed at most."""
_AT_ONCE = 4_000_000  # pairs, so that memory stays small


class Pair(NamedTuple):
    """Two places in the list that was given, in different splits, and in how many bits they differ."""

    first: int
    second: int
    bits: int


def near_duplicates(images: Iterable[tuple[str, str]]) -> Iterator[Pair]:
    """Every pair of near-duplicates whose splits differ; `images` are (split, dhash).

    Each pair is looked at, 1.6 * 10^8 a second on one core: 60,000 images take 4 s, half a million 5 minutes.
    """
    places: dict[str, list[int]] = {split: [] for split in SPLITS}
    packed = bytearray()
    for place, (split, value) in enumerate(images):
        places[split].append(place)
        packed += bytes.fromhex(value)
    hashes = np.frombuffer(bytes(packed), dtype=np.uint64).reshape(-1, 4)
    earlier: list[int] = []
    for split in SPLITS:
        yield from _between(hashes, earlier, places[split])
        earlier += places[split]


def _between(hashes: NDArray[np.uint64], ours: Sequence[int], theirs: Sequence[int]) -> Iterator[Pair]:
    if not ours or not theirs:
        return
    columns = np.ascontiguousarray(hashes[ours].T)
    step = max(1, _AT_ONCE // len(ours))
    for start in range(0, len(theirs), step):
        chunk = hashes[theirs[start : start + step]]
        half = np.bitwise_count(chunk[:, :1] ^ columns[0]) + np.bitwise_count(chunk[:, 1:2] ^ columns[1])
        for row, column in np.argwhere(half <= NEAR):
            first, second = ours[int(column)], theirs[start + int(row)]
            bits = int(np.bitwise_count(hashes[first] ^ hashes[second]).sum())
            if bits <= NEAR:
                yield Pair(first, second, bits)
