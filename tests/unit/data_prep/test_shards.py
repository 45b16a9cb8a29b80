"""Shards: every accepted image in exactly one tar, shuffled, the same bytes every time."""

import gzip
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from data_prep.cli import make_dataset
from data_prep.errors import BadRequest, NotReconciled
from data_prep.steps.assign_shards import assign_shards
from data_prep.steps.seal import seal
from tests.unit.data_prep.conftest import begin_by_counts

IDS = {f"{number:06d}": number // 150 % 3 for number in range(0, 30_000, 150)}


def members(tar: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(tar) as opened:
        return [(member.name, opened.extractfile(member).read()) for member in opened.getmembers()]  # type: ignore[union-attr]


@pytest.fixture
def big_source(make_source: Callable[..., Path]) -> Path:
    """Images with a long comment, so that a few make a megabyte."""
    root = make_source(IDS)
    for path in (root / "bin-images").iterdir():
        comment = path.stem.encode() * 2500
        marker = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        data = path.read_bytes()
        path.write_bytes(data[:2] + marker + data[2:])
    return root


@pytest.mark.parametrize("layout", ["shards", "both"])
def test_each_image_is_in_its_sides_shards_once_with_its_count(
    big_source: Path, tmp_path: Path, layout: str
) -> None:
    run = begin_by_counts(big_source, tmp_path, layout=layout, shard_mb=1)
    dataset = tmp_path / make_dataset(run, quiet=True)["prefix"]
    manifest = [
        json.loads(line)
        for line in gzip.decompress((dataset / "manifest.jsonl.gz").read_bytes()).splitlines()
    ]
    assert len(manifest) == len(IDS)
    found: dict[str, str] = {}
    for tar in sorted((dataset / "shards").iterdir()):
        content = members(tar)
        for (image, data), (label, text) in zip(content[::2], content[1::2], strict=True):
            identity = image.removesuffix(".jpg")
            assert label == f"{identity}.cls" and text == str(IDS[identity]).encode()
            assert data == (big_source / "bin-images" / image).read_bytes()
            assert identity not in found
            found[identity] = f"shards/{tar.name}"
    assert found == {line["id"]: line["shard"] for line in manifest}
    splits = {line["id"]: line["split"] for line in manifest}
    assert all(shard.startswith(f"shards/{splits[identity]}-") for identity, shard in found.items())
    assert (dataset / "train").is_dir() == (layout == "both")
    assert all((line["key"] is None) == (layout == "shards") for line in manifest)


def test_a_shard_is_shuffled_and_about_as_large_as_asked_for(big_source: Path, tmp_path: Path) -> None:
    dataset = (
        tmp_path
        / make_dataset(begin_by_counts(big_source, tmp_path, layout="shards", shard_mb=1), quiet=True)[
            "prefix"
        ]
    )
    train = sorted((dataset / "shards").glob("train-*.tar"))
    assert len(train) == 3
    for tar in train:
        names = [name for name, _ in members(tar)][::2]
        assert names != sorted(names)
        assert 500_000 < tar.stat().st_size < 1_600_000


def test_seal_wants_all_shards_packed(big_source: Path, tmp_path: Path) -> None:
    run = begin_by_counts(big_source, tmp_path, layout="both", shard_mb=1)
    prefix = tmp_path / make_dataset(run, quiet=True)["prefix"]
    (prefix / "dataset.json").unlink()
    (tmp_path / run.key("packed/train-000001.json")).unlink()
    with pytest.raises(NotReconciled, match="1 of 5 shards are not packed; run pack"):
        seal(run)
    before = (prefix / "shards" / "train-000001.tar").read_bytes()
    make_dataset(run, quiet=True)
    assert (prefix / "shards" / "train-000001.tar").read_bytes() == before


def test_a_shard_too_large_for_the_disk_is_an_error_with_a_size_that_fits(
    big_source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin_by_counts(big_source, tmp_path, layout="shards", shard_mb=2)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_200_000))
    with pytest.raises(BadRequest, match=r"does not fit into the 1 MB .* request a shard_mb of at most 1$"):
        make_dataset(run, quiet=True)


def test_folders_have_no_shards_to_deal(big_source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="has the layout folders, which has no shards"):
        assign_shards(begin_by_counts(big_source, tmp_path))
