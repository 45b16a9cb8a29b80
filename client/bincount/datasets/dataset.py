"""A sealed dataset: its description, its lines, its images (docs/contracts.md, "The dataset")."""

import gzip
import json
import tarfile
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from bincount.errors import BincountError
from bincount.stage.objects import read_if_there
from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetImage:
    """One line of the manifest; `width` and `height` in pixels, `key` and `shard` below the address.

    `name` is the image's own name, where the source is the user's.
    """

    id: str
    count: int
    split: Split
    key: str | None
    shard: str | None
    name: str | None
    bytes: int
    width: int
    height: int


class Dataset:
    """The stage's newest dataset, or the one with the id `id`.

    Raises BincountError where there is no such dataset, or it is not sealed yet.
    """

    def __init__(
        self,
        *,
        stage: str | Stage = "dev",
        id: str | None = None,
        region: str | None = None,
        profile: str | None = None,
    ) -> None:
        if isinstance(stage, str):
            stage = Stage(stage, region=region, profile=profile)
        self._s3 = stage.client("s3")
        self.uri = _newest(stage)
        if id is not None:
            self.uri = f"{self.uri.rstrip('/').rpartition('/')[0]}/{id}/"
        self._bucket, self._prefix = split_s3_address(self.uri)
        self.description: dict[str, Any] = json.loads(self._read("dataset.json"))
        """dataset.json: id, source, request, split rule, numbers, warnings."""

    @property
    def id(self) -> str:
        return self.description["dataset_id"]

    @cached_property
    def images(self) -> list[DatasetImage]:
        """All images that are used, by their ids."""
        return [
            DatasetImage(
                id=line["id"],
                count=line["count"],
                split=line["split"],
                key=line["key"],
                shard=line.get("shard"),
                name=line.get("name"),
                bytes=line["bytes"],
                width=line["width"],
                height=line["height"],
            )
            for line in self._lines("manifest.jsonl.gz")
        ]

    @cached_property
    def rejected(self) -> list[dict[str, Any]]:
        """What is not used: `id` and `reason`."""
        return self._lines("rejected.jsonl.gz")

    def split(self, name: Split) -> list[DatasetImage]:
        """The images of one split."""
        return [image for image in self.images if image.split == name]

    def counts(self) -> dict[Split, dict[int, int]]:
        """{split: {count: images}}."""
        return {name: dict(sorted(Counter(i.count for i in self.split(name)).items())) for name in SPLITS}

    def read(self, image: DatasetImage) -> bytes:
        """The JPEG. From a shard it is read as a stream, up to the image."""
        if image.key is not None:
            return self._read(image.key)
        body = self._s3.get_object(Bucket=self._bucket, Key=f"{self._prefix}{image.shard}")["Body"]
        with body, tarfile.open(fileobj=body, mode="r|") as shard:
            for member in shard:
                file = shard.extractfile(member) if member.name == f"{image.id}.jpg" else None
                if file is not None:
                    return file.read()
        raise BincountError(f"{self.uri}{image.shard} has no {image.id}.jpg: the dataset was changed")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in gzip.decompress(self._read(name)).splitlines()]

    def _read(self, name: str) -> bytes:
        data = read_if_there(self._s3, self._bucket, self._prefix + name)
        if data is None:
            raise BincountError(f"{self.uri} has no {name}: no dataset of that name is sealed there")
        return data


def _newest(stage: Stage) -> str:
    found = stage.client("ssm").get_parameter(Name=stage.parameter("dataset"))
    uri: str = found["Parameter"]["Value"]
    if not uri.startswith("s3://"):
        raise BincountError(
            f"{stage.prefix} has no dataset yet: its pipeline makes one (`bincount train --watch`)"
        )
    return uri
