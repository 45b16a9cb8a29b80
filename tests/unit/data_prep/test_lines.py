"""Lists of records: many at once need no open file each."""

import os
import resource
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from data_prep.storage.directory_store import DirectoryStore
from data_prep.storage.lines import LineSorter, read_lines


@pytest.fixture
def few_open_files() -> Iterator[None]:
    """A hundred more than this process holds now: what ran before in it may hold many."""
    limits, held = resource.getrlimit(resource.RLIMIT_NOFILE), {int(name) for name in os.listdir("/dev/fd")}
    last = next(islice((number for number in count() if number not in held), 100, None))
    resource.setrlimit(resource.RLIMIT_NOFILE, (last, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_more_lists_than_files_may_be_open(few_open_files: None, tmp_path: Path) -> None:
    store, keys = DirectoryStore(tmp_path / "store"), [f"{number}.gz" for number in range(600)]
    (tmp_path / "scratch").mkdir()
    lists = LineSorter(tmp_path / "scratch", keys=keys)
    for number in range(1200):
        lists.add(keys[number % 600], {"id": number})
    lists.write(store)
    for number, key in enumerate(keys):
        assert list(read_lines(store, key)) == [{"id": number}, {"id": number + 600}]


def test_what_is_spilled_in_pieces_is_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.storage.lines._HELD", 100)
    lists = LineSorter(tmp_path, keys=["list", "empty"])
    for number in range(1000):
        lists.add("list", {"id": number})
    lists.write(DirectoryStore(tmp_path / "store"))
    found = read_lines(DirectoryStore(tmp_path / "store"), "list")
    assert [line["id"] for line in found] == list(range(1000))
    assert list(read_lines(DirectoryStore(tmp_path / "store"), "empty")) == []
