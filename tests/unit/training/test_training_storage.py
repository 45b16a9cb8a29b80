"""What a job does when the disk that it reads from is a network that fails, stalls, or is written to."""

import io
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bintrain.data import data_loader, sampling, shards, storage
from bintrain.data.classes import Classes
from bintrain.data.data_loader import DataLoader
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.data.sampling import ordered_plan, training_plan
from bintrain.data.storage import LocalSource, SteadyFile
from bintrain.errors import TrainingError

CLASSES = Classes(counts=(1, 4), open_top=False)
USUAL_WAITS = storage.WAITS

Read = Callable[[LocalSource, memoryview, int], int]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits, and a shard of a few kilobytes is read in many pieces."""
    monkeypatch.setattr(storage, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(shards, "READ_AHEAD", 1024)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Read], None]:
    """Puts a disk that reads in another way below the job; opening and stamps are the real ones."""

    def put(read: Read) -> None:
        class Disk(LocalSource):
            def read_into(self, buffer: memoryview, offset: int) -> int:
                return read(self, buffer, offset)

        monkeypatch.setattr(storage, "open_source", Disk)

    return put


def train_images(folder: Path) -> Images:
    return Images(read_dataset(folder).split("train"), classes=CLASSES, size=32, keep=False)


def stored(images: Images) -> list[bytes]:
    return [data for shard in images.shards for _, data in images.read_shard(shard)]


def fail(_: LocalSource, buffer: memoryview, offset: int) -> int:
    raise OSError(5, "Input/output error")


def cut(_: LocalSource, buffer: memoryview, offset: int) -> int:
    return 0


@pytest.mark.parametrize("fault", [fail, cut])
def test_reads_that_fail_or_are_cut_are_tried_again_at_the_same_byte(
    packed: Path, disk: Callable[[Read], None], fault: Read, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = stored(train_images(packed))
    reads: list[int] = []

    def read(source: LocalSource, buffer: memoryview, offset: int) -> int:
        reads.append(offset)
        if len(reads) % 4:  # three faults for each read that works, as many as are survived
            return fault(source, buffer, offset)
        return LocalSource.read_into(source, buffer[:700], offset)

    disk(read)

    assert stored(train_images(packed)) == expected
    assert len(reads) > 40
    assert "trying again in" in capsys.readouterr().out


@pytest.mark.parametrize(("fault", "words"), [(fail, "Input/output error"), (cut, "ended it there")])
def test_a_disk_that_keeps_failing_ends_in_one_line_after_a_few_attempts(
    packed: Path, disk: Callable[[Read], None], fault: Read, words: str
) -> None:
    images = train_images(packed)
    reads: list[int] = []

    def read(source: LocalSource, buffer: memoryview, offset: int) -> int:
        reads.append(offset)
        return fault(source, buffer, offset)

    disk(read)

    with pytest.raises(TrainingError, match=rf"train-\d+.tar cannot be read: .*4 times: .*{words}") as caught:
        stored(images)

    assert reads == [0] * 4
    assert "\n" not in str(caught.value)


def test_the_waits_outlast_a_disk_that_fails_for_half_a_minute() -> None:
    assert 30 <= sum(USUAL_WAITS) < data_loader.PATIENCE


@pytest.mark.parametrize("change", ["grown", "replaced", "cut"])
def test_a_shard_that_changes_while_it_is_read_ends_in_one_line(packed: Path, change: str) -> None:
    images = train_images(packed)
    shard = next(iter(images.shards))
    reading = images.read_shard(shard)
    next(reading)

    if change == "replaced":  # the same length, written in place as a second run would
        shard.write_bytes(shard.read_bytes())
    else:
        os.truncate(shard, shard.stat().st_size // 2 if change == "cut" else shard.stat().st_size * 2)

    with pytest.raises(TrainingError, match=r"train-\d+.tar changed while the job reads it") as caught:
        list(reading)
    assert "\n" not in str(caught.value)


def test_a_shard_copied_between_epochs_must_hold_the_same_images(packed: Path) -> None:
    images = train_images(packed)
    expected = stored(images)
    shard = next(iter(images.shards))
    content = bytearray(shard.read_bytes())

    shard.write_bytes(content)
    assert stored(images) == expected

    content[700] ^= 1  # in the first image
    shard.write_bytes(content)
    with pytest.raises(TrainingError, match="is not the manifest's file"):
        stored(images)


def test_files_of_a_folder_are_tried_again_too(tmp_path: Path, disk: Callable[[Read], None]) -> None:
    file = tmp_path / "one.jpg"
    reads: list[int] = []
    file.write_bytes(b"x" * 5000)

    def read(source: LocalSource, buffer: memoryview, offset: int) -> int:
        reads.append(offset)
        if len(reads) % 2:
            raise OSError(116, "Stale file handle")
        return LocalSource.read_into(source, buffer, offset)

    disk(read)

    assert storage.read_whole(file) == b"x" * 5000
    assert len(reads) > 1


def test_a_disk_that_stalls_is_waited_for_and_the_log_says_so(
    packed: Path,
    disk: Callable[[Read], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(data_loader, "NOTICE", 0.05)

    def read(source: LocalSource, buffer: memoryview, offset: int) -> int:
        if offset == 0:
            time.sleep(0.3)
        return LocalSource.read_into(source, buffer, offset)

    disk(read)
    images = train_images(packed)

    loader = DataLoader(images, threads=1, pin=False)
    seen = [
        int(index)
        for batch in loader.batches(ordered_plan(images, batch=5))
        for index in batch.indices.numpy()
    ]

    assert sorted(seen) == list(range(24))
    assert "the job waits up to 300 s" in capsys.readouterr().out


def test_a_disk_that_never_answers_ends_the_job_in_one_line(
    packed: Path, disk: Callable[[Read], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_loader, "NOTICE", 0.05)
    monkeypatch.setattr(data_loader, "PATIENCE", 0.2)
    answers = threading.Event()

    def read(source: LocalSource, buffer: memoryview, offset: int) -> int:
        answers.wait(20)
        return LocalSource.read_into(source, buffer, offset)

    disk(read)
    images = train_images(packed)
    began = time.monotonic()

    with pytest.raises(TrainingError, match="the storage gave no image for") as caught:
        list(DataLoader(images, threads=1, pin=False).batches(ordered_plan(images, batch=5)))

    assert time.monotonic() - began < 5
    assert "\n" not in str(caught.value)
    answers.set()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the shards that were opened, in order."""
    names: list[str] = []

    class Disk(LocalSource):
        def __init__(self, path: Path) -> None:
            names.append(path.name)
            super().__init__(path)

    monkeypatch.setattr(storage, "open_source", Disk)
    return names


def test_a_job_that_goes_on_opens_only_the_shards_that_it_still_needs(
    packed_small: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "BUFFER", 2)
    images = train_images(packed_small)

    def plan(first: int) -> Iterator[list[int]]:
        steps = training_plan(images, seed=5, epoch=1, batch=2, first=first, rank=0, size=1)
        return iter([[index for index, _ in items] for items in steps])

    whole = list(plan(0))
    assert len(opened) == 12
    opened.clear()

    assert list(plan(9)) == whole[9:]
    assert len(opened) <= 5


def test_nothing_is_read_ahead_of_what_the_buffer_holds(
    packed: Path, disk: Callable[[Read], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "BUFFER", 4)
    images = train_images(packed)
    read = 0
    each = images.read_shard

    def counted(shard: Path) -> Iterator[tuple[int, bytes]]:
        nonlocal read
        for item in each(shard):
            read += 1
            yield item

    monkeypatch.setattr(images, "read_shard", counted)
    steps = training_plan(images, seed=5, epoch=1, batch=1, first=0, rank=0, size=1)

    assert max(read - taken for taken, _ in enumerate(steps)) <= 5


def test_a_steady_file_reads_as_tarfile_expects_of_a_file(packed: Path) -> None:
    shard = packed / "shards" / "train-000000.tar"
    with (
        tarfile.open(shard) as plain,
        io.BufferedReader(SteadyFile(shard)) as steady,
        tarfile.open(fileobj=steady) as tar,
    ):
        assert tar.getnames() == plain.getnames()
