"""A folder as a store; ETags are what S3 gives a plain object: the MD5 of its content."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.errors import TransferFailed
from data_prep.storage.store import Changed, Info, Later, Missing, Store

UNFINISHED = ".unfinished"
"""Folder below the root for files that are being written; it may be deleted when nothing writes."""


class DirectoryStore:
    """Files under a folder. It need not exist before the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def uri(self) -> str:
        return f"{self.root}/"

    def read(self, key: str, *, etag: str | None = None) -> bytes:
        try:
            data = (self.root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise Missing(key) from error
        except OSError as error:
            raise TransferFailed(f"reading {self.root / key}: {error}") from error
        if etag is not None and _etag(data) != etag:
            raise Changed(key)
        return data

    def begin_read(self, key: str, *, etag: str | None = None) -> Later[bytes]:
        return lambda: self.read(key, etag=etag)

    def info(self, key: str) -> Info:
        data = self.read(key)
        return Info(key, _etag(data), len(data))

    def list(self, prefix: str, *, after: str = "", page: int = 1000) -> Iterator[Info]:
        keys = (path.relative_to(self.root).as_posix() for path in self._files(prefix))
        for key in sorted(key for key in keys if key > after):
            yield self.info(key)

    def _files(self, prefix: str) -> Iterator[Path]:
        folder, _, start = prefix.rpartition("/")
        if not (self.root / folder).is_dir():
            return
        with _transfer_errors("listing", self.root / folder):
            found = [path for path in (self.root / folder).iterdir() if path.name.startswith(start)]
            for path in found:
                yield from _below(path)

    def write(self, key: str, data: bytes, *, content_type: str) -> None:
        with _transfer_errors("writing", self.root / key):
            path, scratch = self._prepare(key)
            scratch.write_bytes(data)
            os.replace(scratch, path)

    def begin_write(self, key: str, data: bytes, *, content_type: str) -> Later[None]:
        return lambda: self.write(key, data, content_type=content_type)

    def create(self, key: str, data: bytes, *, content_type: str) -> bool:
        with _transfer_errors("writing", self.root / key):
            path, scratch = self._prepare(key)
            scratch.write_bytes(data)
            try:
                os.link(scratch, path)  # unlike a rename, it fails where the name is taken
            except FileExistsError:
                return False
            finally:
                scratch.unlink()
            return True

    def write_file(self, key: str, path: Path, *, content_type: str) -> None:
        with _transfer_errors("writing", self.root / key):
            target, scratch = self._prepare(key)
            shutil.copyfile(path, scratch)
            os.replace(scratch, target)

    def begin_take(self, key: str, *, source: Store, source_info: Info, data: bytes) -> Later[None]:
        return self.begin_write(key, data, content_type="image/jpeg")

    def _prepare(self, key: str) -> tuple[Path, Path]:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        # On the target's file system, so that the rename is atomic, and outside of every dataset: what a
        # killed process leaves behind lies there.
        scratch = self.root / UNFINISHED
        scratch.mkdir(parents=True, exist_ok=True)
        return path, scratch / secrets.token_hex(8)


@contextmanager
def _transfer_errors(what: str, path: Path) -> Generator[None, None, None]:
    """An error of the file system (rights, a full disk, a file in a folder's place) is TransferFailed."""
    try:
        yield
    except OSError as error:
        raise TransferFailed(f"{what} {path}: {error}") from error


def _below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for child in path.iterdir():
            yield from _below(child)
    elif not path.name.startswith("."):
        yield path


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
