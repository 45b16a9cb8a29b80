"""A sealed dataset as the audit reads it, from a folder or from S3: labels, blocks, images."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bincount.errors import BincountError
from bincount_core.s3_address import split_s3_address
from bincount_sources.split import BLOCK

_AT_ONCE = 16
_AHEAD = 64
Read = Callable[[str], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """One line of the manifest. `count` is the dataset's label, `source_count` what the source says: they
    differ where a correction was followed. Images of one `block` may show the same bin."""

    id: str
    name: str
    count: int
    source_count: int
    split: str
    block: str
    sha256: str
    key: str | None
    shard: str | None


@dataclass(frozen=True, kw_only=True)
class SealedDataset:
    """`bins` are in the manifest's order; `corrections` is the digest of the file that it was made with."""

    id: str
    corrections: str | None
    bins: list[Bin]
    read: Read

    def images(self, bins: Sequence[Bin]) -> Iterator[tuple[Bin, bytes]]:
        """Each of `bins` with its image's bytes, in any order; some are fetched ahead, a shard is read once.

        Raises BincountError for an image that is not there.
        """
        files = [one for one in bins if one.key is not None]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for start in range(0, len(files), _AHEAD):
                some = files[start : start + _AHEAD]
                yield from zip(some, pool.map(self._file, some), strict=True)
        packed: dict[str, dict[str, Bin]] = {}
        for one in bins:
            if one.key is None:
                packed.setdefault(str(one.shard), {})[f"{one.id}.jpg"] = one
        for shard, wanted in packed.items():
            yield from self._of_shard(shard, wanted)

    def _file(self, one: Bin) -> bytes:
        return self.read(str(one.key))

    def _of_shard(self, shard: str, wanted: dict[str, Bin]) -> Iterator[tuple[Bin, bytes]]:
        found = 0
        with tarfile.open(fileobj=io.BytesIO(self.read(shard))) as members:
            for member in members:
                file = members.extractfile(member) if member.name in wanted else None
                if file is not None:
                    found += 1
                    yield wanted[member.name], file.read()
        if found != len(wanted):
            raise BincountError(f"{shard} holds {found} of {len(wanted)} images; make the dataset again")


def open_dataset(address: str, *, s3: Callable[[], Any]) -> SealedDataset:
    """The dataset in a folder or below `s3://bucket/datasets/<id>/`; `s3` makes a client where one is needed.

    Raises BincountError for a dataset that is not sealed, or whose manifest is another file than that.
    """
    read = _reader(address, s3=s3)
    try:
        document = json.loads(read("dataset.json"))
        lines = gzip.decompress(read("manifest.jsonl.gz")).splitlines()
        bins = [_bin(json.loads(line)) for line in lines]
        identity = str(document["dataset_id"])
        corrections: dict[str, Any] = document.get("corrections", {})
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, gzip.BadGzipFile) as error:
        raise BincountError(
            f"{address} is not a sealed dataset ({type(error).__name__}: {error}): name the folder or the "
            "s3:// address that data preparation printed"
        ) from error
    return SealedDataset(id=identity, corrections=corrections.get("sha256"), bins=bins, read=read)


def _bin(line: dict[str, Any]) -> Bin:
    return Bin(
        id=line["id"],
        name=line.get("name", ""),
        count=line["count"],
        source_count=line.get("old_count", line["count"]),
        split=line["split"],
        block=line["block"] if "block" in line else str(int(line["id"]) // BLOCK),
        sha256=line["sha256"],
        key=line["key"],
        shard=line.get("shard"),
    )


def _reader(address: str, *, s3: Callable[[], Any]) -> Read:
    if not address.startswith("s3://"):
        folder = Path(address)

        def read_file(key: str) -> bytes:
            try:
                return (folder / key).read_bytes()
            except (FileNotFoundError, NotADirectoryError) as error:
                raise _missing(address, key) from error

        return read_file
    try:
        bucket, prefix = split_s3_address(address)
    except ValueError as error:
        raise BincountError(str(error)) from error
    client, prefix = s3(), prefix.rstrip("/")

    def read_object(key: str) -> bytes:
        try:
            return client.get_object(Bucket=bucket, Key=f"{prefix}/{key}".lstrip("/"))["Body"].read()
        except (client.exceptions.NoSuchKey, client.exceptions.NoSuchBucket) as error:
            raise _missing(address, key) from error

    return read_object


def _missing(address: str, key: str) -> BincountError:
    if key == "dataset.json":
        return BincountError(
            f"{address} holds no dataset.json, which is written last: let data preparation finish, or name "
            "the dataset's own folder, datasets/<dataset_id>/"
        )
    return BincountError(f"{address} has no {key}: the dataset is not whole; make it again")
