"""The sealed dataset that the pipeline made: its description, its counts, its test images."""

import gzip
import json
from collections import Counter
from typing import Any

from bincount.stage.stage import Stage
from bincount_core.s3_address import split_s3_address
from demo.source import Bin


class Dataset:
    """The latest sealed dataset of a stage, read from its place in S3."""

    def __init__(self, stage: Stage) -> None:
        self._s3 = stage.client("s3")
        found = stage.client("ssm").get_parameter(Name=stage.parameter("dataset"))
        self._bucket, self._prefix = split_s3_address(found["Parameter"]["Value"])
        self.description: dict[str, Any] = json.loads(self._read("dataset.json"))
        lines = gzip.decompress(self._read("manifest.jsonl.gz")).decode().splitlines()
        self._manifest: list[dict[str, Any]] = [json.loads(line) for line in lines]

    @property
    def id(self) -> str:
        """Its dataset_id."""
        identity: str = self.description["dataset_id"]
        return identity

    def counts(self) -> dict[str, dict[str, int]]:
        """{split: {class: images}}."""
        table: dict[str, Counter[str]] = {"train": Counter(), "validation": Counter(), "test": Counter()}
        for line in self._manifest:
            table[line["split"]][str(line["count"])] += 1
        return {split: dict(sorted(counter.items())) for split, counter in table.items()}

    def majority(self) -> int:
        """The count that is most frequent among the training images (ties: the lower one)."""
        train = Counter(line["count"] for line in self._manifest if line["split"] == "train")
        return min(train, key=lambda count: (-train[count], count))

    def test_bins(self) -> list[Bin]:
        """The bins kept for the published figures: no model was trained on or chosen by them."""
        return [
            Bin(id=line["id"], count=line["count"], jpeg=self._read(line["key"]))
            for line in self._manifest
            if line["split"] == "test"
        ]

    def _read(self, name: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        return body
