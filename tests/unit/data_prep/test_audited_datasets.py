"""`bincount audit` reads what data preparation seals: every layout, in a folder and in S3."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bincount.audit.dataset import open_dataset
from bincount.errors import BincountError
from data_prep.cli import make_dataset
from data_prep.request import parse_request
from data_prep.steps.open_run import open_run
from data_prep.storage.directory_store import DirectoryStore
from data_prep.storage.s3_store import S3Store
from tests.unit.data_prep.conftest import all_splits

BUCKET = "audited"


@pytest.mark.parametrize("layout", ["folders", "shards", "both"])
@pytest.mark.parametrize("in_s3", [False, True])
def test_every_image_is_read_as_it_was_sealed(
    s3: Any, make_source: Callable[..., Path], tmp_path: Path, layout: str, in_s3: bool
) -> None:
    labels = all_splits(1, 2, 3)
    source = {"directory": str(make_source(labels))}
    request = parse_request({"source": source, "counts": [0, 9], "layout": layout}, directories=True)
    if in_s3:
        s3.create_bucket(Bucket=BUCKET)
    run = open_run(S3Store(bucket=BUCKET) if in_s3 else DirectoryStore(tmp_path / "target"), request)
    make_dataset(run, quiet=True)

    dataset = open_dataset(run.uri, s3=lambda: s3)
    assert {one.id: one.count for one in dataset.bins} == labels
    assert {one.id: one.block for one in dataset.bins} == {name: str(int(name) // 100) for name in labels}
    read = {one.id: hashlib.sha256(data).hexdigest() for one, data in dataset.images(dataset.bins)}
    assert read == {one.id: one.sha256 for one in dataset.bins}
    with pytest.raises(BincountError, match=r"holds no dataset\.json"):
        open_dataset(run.uri + "nowhere", s3=lambda: s3)
