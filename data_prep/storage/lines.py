"""Lists of records in storage: JSON lines, gzipped, byte-identical for the same records."""

import gzip
import io
import json
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_prep.storage.parallel import map_ordered
from data_prep.storage.store import Store

Line = dict[str, Any]

_FETCHED = 16
"""Files under way at a time when many are read; a batch's records have some 10 kB, an index part 200 kB."""


_HELD = 32_000_000
"""Bytes that wait to be compressed together."""


@contextmanager
def line_file(store: Store, key: str) -> Generator[Callable[[Line], None], None, None]:
    """A function that adds a record; what was added is put under `key` at the end, unless an error comes
    first."""
    with tempfile.TemporaryDirectory(prefix="bincount-") as scratch:
        path = Path(scratch) / "lines.gz"
        with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:

            def add(line: Line) -> None:
                packed.write(_line(line))

            yield add
        store.write_file(key, path, content_type="application/gzip")


class LineSorter:
    """Records for many keys at once: what is held is small and no file stays open, however many keys."""

    def __init__(self, folder: Path, *, keys: Iterable[str]) -> None:
        self._paths = {key: folder / str(number) for number, key in enumerate(keys)}
        self._held = {key: bytearray() for key in self._paths}
        self._bytes = 0

    def add(self, key: str, line: Line) -> None:
        """Append the record to what is to be put under `key`."""
        packed = _line(line)
        self._held[key] += packed
        self._bytes += len(packed)
        if self._bytes >= _HELD:
            self._spill()

    def write(self, store: Store) -> None:
        """Put all records under their keys; a key without any gets an empty list."""
        self._spill()

        def put(key: str) -> None:
            store.write_file(key, self._paths[key], content_type="application/gzip")

        for _ in map_ordered(put, self._paths, workers=_FETCHED):
            pass

    def _spill(self) -> None:
        for key, held in self._held.items():
            with self._paths[key].open("ab") as file:
                file.write(gzip.compress(held, mtime=0))
            held.clear()
        self._bytes = 0


def write_lines(store: Store, key: str, lines: Iterable[Line]) -> None:
    """Stream the records to `key` through a temporary file."""
    with line_file(store, key) as add:
        for line in lines:
            add(line)


def read_lines(store: Store, key: str) -> Iterator[Line]:
    """The records under `key`, in their order. Raises Missing."""
    return _unpack(store.read(key))


def read_files(store: Store, keys: Iterable[str]) -> Iterator[Iterator[Line]]:
    """The records of many files, a file after the other; some of the next ones are fetched meanwhile and
    held as they are stored."""
    return map(_unpack, map_ordered(store.read, keys, workers=_FETCHED))


def _unpack(data: bytes) -> Iterator[Line]:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        for line in packed:
            yield json.loads(line)


def _line(line: Line) -> bytes:
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def write_json(store: Store, key: str, value: Any) -> None:
    """One JSON document, for people to read too."""
    store.write(key, _document(value), content_type="application/json")


def create_json(store: Store, key: str, value: Any) -> bool:
    """As write_json, but only where nothing is under `key`; False where something is."""
    return store.create(key, _document(value), content_type="application/json")


def _document(value: Any) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def read_json(store: Store, key: str) -> Any:
    """The document under `key`. Raises Missing."""
    return json.loads(store.read(key))
