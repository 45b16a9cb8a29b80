"""Images in a dataset's tar shards: members `<id>.jpg`. (The manifest holds the counts of `<id>.cls` too.)"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bintrain.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Member:
    """Where a file's bytes lie in an uncompressed tar."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """The bytes; fewer than `size` where the shard was cut off since."""
        with self.shard.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


def read_shard(shard: Path, *, wanted: Mapping[str, int]) -> Iterator[tuple[int, Member, bytes]]:
    """The wanted members with their bytes in one sequential pass, as streamed storage likes it.

    `wanted` gives each member's name a number, which comes back with it. Raises TrainingError when the shard
    is no whole tar or lacks a wanted member.
    """
    return _members(shard, wanted=wanted, mode="r|")


def find_members(shard: Path, *, wanted: Mapping[str, int]) -> dict[int, Member]:
    """Where the wanted members lie, by their numbers; reads the headers alone. Raises as read_shard does."""
    return {number: member for number, member, _ in _members(shard, wanted=wanted, mode="r:")}


def _members(
    shard: Path, *, wanted: Mapping[str, int], mode: Literal["r|", "r:"]
) -> Iterator[tuple[int, Member, bytes]]:
    missing = set(wanted)
    try:
        with tarfile.open(shard, mode) as stream:
            for info in stream:
                if info.name in missing:
                    missing.remove(info.name)
                    member = Member(shard=shard, offset=info.offset_data, size=info.size)
                    file = stream.extractfile(info) if mode == "r|" else None
                    yield wanted[info.name], member, file.read() if file else b""
    except (tarfile.TarError, OSError) as error:
        raise TrainingError(f"{shard} is not a whole tar ({error}); copy it again") from error
    if missing:
        raise TrainingError(
            f"{shard} lacks {len(missing)} of the {len(wanted)} images that the manifest says it holds, "
            f"{min(missing)} first; copy it again"
        )
