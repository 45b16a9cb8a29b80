"""Reading a dataset whose images lie in tar shards, as data preparation packs them."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bintrain.data.classes import Classes
from bintrain.data.dataset import read_dataset
from bintrain.data.images import Images
from bintrain.data.shards import find_members, read_shard
from bintrain.errors import TrainingError

Decoded = Callable[[Images], torch.Tensor]
CLASSES = Classes(counts=(1, 4), open_top=False)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_images_from_shards_are_those_from_folders(
    forty_bins: Path, packed: Path, decoded: Decoded, split: str, keep: bool
) -> None:
    one = Images(read_dataset(forty_bins).split(split), classes=CLASSES, size=40, keep=keep)
    other = Images(read_dataset(packed).split(split), classes=CLASSES, size=40, keep=keep)

    assert one.labels == other.labels
    assert torch.equal(decoded(one), decoded(other))
    assert [one.read(index) for index in range(len(one))] == [other.read(index) for index in range(len(one))]


@pytest.mark.parametrize("keep", [True, False])
def test_a_shard_without_a_listed_image_is_rejected(packed: Path, decoded: Decoded, keep: bool) -> None:
    images = read_dataset(packed).split("validation")
    shard = images[0].path
    alone = packed / f"{images[0].id}.jpg"
    alone.write_bytes(Images(images, classes=CLASSES, size=40, keep=False).read(0))
    with tarfile.open(shard, "w") as emptied:
        emptied.add(alone, alone.name)

    with pytest.raises(TrainingError, match=r"validation-00000\d.tar misses 3 of the 4 images") as caught:
        decoded(Images(images, classes=CLASSES, size=40, keep=keep))

    assert images[2].id in str(caught.value)


@pytest.mark.parametrize("keep", [True, False])
def test_a_shard_that_was_cut_off_is_rejected(packed: Path, decoded: Decoded, keep: bool) -> None:
    images = read_dataset(packed).split("validation")
    images[0].path.write_bytes(images[0].path.read_bytes()[:700])

    with pytest.raises(TrainingError, match=r"validation-00000\d.tar .*copy it again"):
        decoded(Images(images, classes=CLASSES, size=40, keep=keep))


@pytest.mark.parametrize("keep", [True, False])
def test_an_image_in_a_shard_that_is_not_the_manifests_is_rejected(
    packed: Path, decoded: Decoded, keep: bool
) -> None:
    images = read_dataset(packed).split("validation")
    data = bytearray(images[0].path.read_bytes())
    # The first member's bytes begin behind its header of 512.
    data[700] ^= 1
    images[0].path.write_bytes(data)

    with pytest.raises(TrainingError, match=r"\d+.jpg in .*tar is not the manifest's file"):
        decoded(Images(images, classes=CLASSES, size=40, keep=keep))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("place", "bytes_"),
    [(124, b"-0000001000\0"), (124, b"\x80" + b"\0" * 10 + b"\1"), (124, b"77777777777\0"), (257, b"rates")],
    ids=["negative size", "size in base 256", "size beyond the end", "no tar's header"],
)
def test_a_header_that_leads_nowhere_is_rejected(
    packed: Path, decoded: Decoded, place: int, bytes_: bytes, keep: bool
) -> None:
    images = read_dataset(packed).split("validation")
    data = bytearray(images[0].path.read_bytes())
    data[place : place + len(bytes_)] = bytes_
    images[0].path.write_bytes(data)

    with pytest.raises(TrainingError, match=r"validation-00000\d.tar is not a whole tar .*copy it again"):
        decoded(Images(images, classes=CLASSES, size=40, keep=keep))


def test_a_member_larger_than_its_tar_is_rejected_before_it_is_read(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo("00001.jpg").tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"777777777777"  # 64 GiB
    shard = tmp_path / "train-000000.tar"
    shard.write_bytes(header + bytes(2048))

    with pytest.raises(TrainingError, match="is not a whole tar .*cut off.*copy it again"):
        list(read_shard(shard, wanted={"00001.jpg": 0}, opened=lambda _: None))


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_what_has_no_contents_is_passed_over_whatever_its_size_says(
    packed: Path, decoded: Decoded, kind: bytes
) -> None:
    images = read_dataset(packed).split("validation")
    expected = decoded(Images(images, classes=CLASSES, size=40, keep=False))
    odd = tarfile.TarInfo("odd")
    odd.type, odd.linkname = kind, "elsewhere"
    header = bytearray(odd.tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"00000007777\0"
    images[0].path.write_bytes(header + images[0].path.read_bytes())

    assert torch.equal(decoded(Images(images, classes=CLASSES, size=40, keep=False)), expected)


def test_finding_members_reads_headers_alone(packed: Path) -> None:
    shard = read_dataset(packed).split("train")[0].path
    big = tarfile.TarInfo("big.bin")
    big.size = 50_000_000
    with tarfile.open(shard, "a", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(big, io.BytesIO(bytes(big.size)))
    wanted = {
        f"{image.id}.jpg": place
        for place, image in enumerate(read_dataset(packed).split("train"))
        if image.path == shard
    }
    before = bytes_read()

    found = find_members(shard, wanted=wanted)

    assert sorted(found) == sorted(wanted.values())
    assert bytes_read() - before < 1_000_000


def bytes_read() -> int:
    """What this process has read by system calls."""
    return int(Path("/proc/self/io").read_text().split("rchar:")[1].split()[0])


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_shard_that_another_tool_packed_again_is_read(packed: Path, decoded: Decoded, form: int) -> None:
    images = read_dataset(packed).split("validation")
    expected = decoded(Images(images, classes=CLASSES, size=40, keep=False))
    shard = images[0].path
    with tarfile.open(shard) as old:
        files = [(info, old.extractfile(info).read()) for info in old]  # pyright: ignore
    with tarfile.open(shard, "w", format=form) as new:
        folder = tarfile.TarInfo("a folder")
        folder.type = tarfile.DIRTYPE
        new.addfile(folder)
        add_long(new, "folder/" * 20 + "a name for which a header has no room or only its second field.txt")
        for info, data in files:
            info.mtime = 1.5  # what pax notes in a header of its own
            new.addfile(info, io.BytesIO(data))

    assert torch.equal(decoded(Images(images, classes=CLASSES, size=40, keep=False)), expected)


def add_long(shard: tarfile.TarFile, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = 1500
    shard.addfile(member, io.BytesIO(b"x" * 1500))


def test_a_shard_that_is_not_there_is_named(packed: Path) -> None:
    (packed / "shards" / "train-000000.tar").unlink()

    with pytest.raises(TrainingError, match="train-000000.tar is in the manifest but not there"):
        read_dataset(packed)
