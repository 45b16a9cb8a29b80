"""Reads files of a disk that may be a network: SageMaker's FastFile mode shows a bucket as a folder.

What is tried again and what is an error:
- A read that takes long is waited for. The loader (data_loader.py) ends the job after PATIENCE without data.
- A read that fails, or ends before the file does, is tried again from the same byte on a file opened anew,
  after each of WAITS, which is 31 s in all. Then it is an error.
- A file of another size or time than when it was opened is an error at once: a sealed dataset never changes.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from bintrain.errors import TrainingError
from bintrain.log import say

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further attempt at a read."""


class Stamp(NamedTuple):
    """What differs when a file was replaced or written to: bytes, and the time of change in ns."""

    size: int
    changed: int


class Source(Protocol):
    """An open file; every call may raise OSError."""

    def stamp(self) -> Stamp:
        """Size and time of change of what is open."""
        ...

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill `buffer`, or its beginning, from byte `offset` on; returns the bytes read, 0 at the end."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class LocalSource:
    """A file by its path."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def stamp(self) -> Stamp:
        """As fstat(2) gives them."""
        state = os.fstat(self._file)
        return Stamp(state.st_size, state.st_mtime_ns)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """One pread(2)."""
        return os.preadv(self._file, [buffer], offset)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._file)


open_source: Callable[[Path], Source] = LocalSource
"""How files are opened; benchmarks/streaming.py puts an HTTP client in its place."""


class SteadyFile(io.RawIOBase):
    """A file for io.BufferedReader that survives what a network disk does for half a minute.

    Raises FileNotFoundError where it is not there, OSError after the last attempt, TrainingError where the
    file changed since it was opened. `stamp` is what it was then.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._at = 0
        self._source: Source | None = None
        self.stamp = self._attempt(self._opened, what="opening")

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a byte; reads nothing."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.stamp.size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what one call to the storage gives, up to the size that the file had when it was opened."""
        view = memoryview(buffer).cast("B")[: max(0, self.stamp.size - self._at)]
        if not view:
            return 0
        got = self._attempt(lambda: self._read(view), what=f"reading from byte {self._at}")
        self._at += got
        return got

    def close(self) -> None:
        """Close what is open."""
        self._release()
        super().close()

    def _attempt(self, action: Callable[[], T], *, what: str) -> T:
        for wait in WAITS:
            try:
                return action()
            except FileNotFoundError:
                raise
            except OSError as error:
                say(f"{self._path}: {what} failed ({error}); trying again in {wait:g} s")
            self._release()
            time.sleep(wait)
        try:
            return action()
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise OSError(f"{what} failed {len(WAITS) + 1} times: {error}") from error

    def _opened(self) -> Stamp:
        if self._source is None:
            self._source = open_source(self._path)
        return self._source.stamp()

    def _read(self, view: memoryview) -> int:
        self._require_same(self._opened())
        assert self._source is not None
        got = self._source.read_into(view, self._at)
        # After the read too: what was written meanwhile may be in it.
        self._require_same(self._source.stamp())
        if not got:
            raise OSError(f"the storage ended it there, {self.stamp.size} bytes are expected")
        return got

    def _require_same(self, now: Stamp) -> None:
        if now != self.stamp:
            raise TrainingError(
                f"{self._path} changed while the job reads it: {self.stamp.size} bytes when it was opened, "
                f"{now.size} now. Nothing may write to a sealed dataset: copy it again and start again"
            )

    def _release(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None


def read_whole(path: Path) -> bytes:
    """A file's bytes. Raises as SteadyFile does."""
    with SteadyFile(path) as file:
        return file.readall() or b""
