"""Images in a dataset's tar shards: members `<id>.jpg`. (The manifest holds the counts of `<id>.cls` too.)

Read as plain POSIX tar (ustar), which is what data preparation writes: Python's tarfile takes 60 microseconds
an image for what takes 10 here, with Python's lock held, when decoding takes 500 without it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from bintrain.data.storage import Stamp, SteadyFile
from bintrain.errors import TrainingError

BLOCK = 512
"""Bytes of a header; contents fill whole blocks (POSIX.1-2017, pax, "ustar Interchange Format")."""
FILES = (b"0", b"\0", b"7")
NO_CONTENTS = (b"1", b"2", b"3", b"4", b"5", b"6")
"""Types of members: files; and links, devices and folders, whose size means nothing."""
READ_AHEAD = 2**23
"""Bytes asked of the storage at once: with 30 ms before each answer still up to 280 MB/s."""


class Member(NamedTuple):
    """Where a file's bytes lie in an uncompressed tar."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """The bytes; fewer than `size` where the shard was cut off since. Raises as SteadyFile does."""
        with io.BufferedReader(SteadyFile(self.shard), BLOCK) as file:
            file.seek(self.offset)
            return file.read(self.size)


def read_shard(
    shard: Path, *, wanted: Mapping[str, int], opened: Callable[[Stamp], None]
) -> Iterator[tuple[int, Member, bytes]]:
    """The wanted members with their bytes in one sequential pass, as streamed storage likes it.

    `wanted` gives each member's name a number, which comes back with it; `opened` learns what the shard was
    before the first of them. Raises TrainingError when the shard is not a whole tar, cannot be read
    (storage.py says what is tried), changes meanwhile, or where a wanted member is missing.
    """
    return _members(shard, wanted=wanted, opened=opened, read_ahead=READ_AHEAD)


def find_members(shard: Path, *, wanted: Mapping[str, int]) -> dict[int, Member]:
    """Where the wanted members lie, by their numbers; reads the headers alone. Raises as read_shard does."""
    return {number: member for number, member, _ in _members(shard, wanted=wanted)}


def _members(
    shard: Path,
    *,
    wanted: Mapping[str, int],
    opened: Callable[[Stamp], None] | None = None,
    read_ahead: int | None = None,
) -> Iterator[tuple[int, Member, bytes]]:
    missing = set(wanted)
    try:
        with SteadyFile(shard) as raw, io.BufferedReader(raw, read_ahead or BLOCK) as file:
            if opened:
                opened(raw.stamp)
            for name, offset, size in _files(cast("BinaryIO", file), end=raw.stamp.size):
                if name in missing:
                    missing.remove(name)
                    data = file.read(size) if read_ahead else b""
                    yield wanted[name], Member(shard=shard, offset=offset, size=size), data
    except FileNotFoundError as error:
        raise TrainingError(f"{shard} is in the manifest but not there; copy it again") from error
    except OSError as error:
        raise TrainingError(
            f"{shard} cannot be read: {error}. Check the storage, then start the job again"
        ) from error
    except ValueError as error:
        raise TrainingError(
            f"{shard} is not a whole tar as data preparation packs it ({error}); copy it again"
        ) from error
    if missing:
        raise TrainingError(
            f"{shard} misses {len(missing)} of the {len(wanted)} images that the manifest says it holds, "
            f"{min(missing)} first; copy it again"
        )


def _files(tar: BinaryIO, *, end: int) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each file in a tar of `end` bytes. Raises ValueError where it is none.

    Passed over: what is not a file, and names too long for a header, which are in a second one of their own.
    """
    at = 0
    while True:
        tar.seek(at)
        header = tar.read(BLOCK)
        if len(header) < BLOCK:
            raise ValueError("it was cut off")
        if header[257:262] != b"ustar":
            if not any(header):
                return
            raise ValueError(f"no header at byte {at}")
        kind, digits = header[156:157], header[124:136].strip(b" \0")
        if digits.strip(b"01234567") or not digits:
            raise ValueError(f"no size at byte {at}")
        size = 0 if kind in NO_CONTENTS else int(digits, 8)
        at += BLOCK
        if at + size > end:
            raise ValueError("it was cut off")
        if kind in FILES and not header[345]:
            yield header[:100].partition(b"\0")[0].decode(errors="replace"), at, size
        at += -(-size // BLOCK) * BLOCK
