"""A real S3 over HTTP and small sources of images for the tests of data preparation."""

import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from PIL import Image

from data_prep.request import parse_request
from data_prep.run import Run
from data_prep.steps.arrange import arrange
from data_prep.steps.open_run import open_run
from data_prep.steps.plan import plan, remaining
from data_prep.storage import s3_store
from data_prep.storage.directory_store import DirectoryStore


def jpeg(*, seed: int, size: tuple[int, int] = (48, 40), **options: Any) -> bytes:
    """A small JPEG that no other seed gives."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(data, "JPEG", **options)
    return data.getvalue()


def all_splits(*counts: int) -> dict[str, int]:
    """Ids with a label each, so that every split has an image of each count: blocks 0, 11 and 4 are in train,
    validation and test."""
    return {f"{block:03d}{50 + place}": count for block in (0, 11, 4) for place, count in enumerate(counts)}


def begin(source: Path, target: Path, **fields: Any) -> Run:
    """A run over the folder `source`, of the images in its file list where `fields` say nothing else."""
    request = {"source": {"directory": str(source)}, "file_list": str(source / "file_list.json")} | fields
    return open_run(DirectoryStore(target), parse_request(request, directories=True))


def begin_by_counts(source: Path, target: Path, **fields: Any) -> Run:
    """A run over all images of 0 to 9 objects below `source`, without a file list."""
    return begin(source, target, **({"file_list": None, "counts": [0, 9]} | fields))


def arranged(source: Path, target: Path) -> tuple[Run, list[dict[str, Any]]]:
    """A run whose every planned image has its record, and these images."""
    run = begin(source, target)
    plan(run)
    items = list(remaining(run))
    arrange(run, items)
    return run, items


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[..., Path]:
    """`make_source(counts, extra=…)` writes a folder in the public bucket's layout, with a file list of
    all ids."""

    def make(counts: dict[str, int], *, name: str = "source") -> Path:
        root = tmp_path / name
        listed: dict[str, list[str]] = {}
        for folder in ("bin-images", "metadata"):
            (root / folder).mkdir(parents=True)
        for seed, (identity, count) in enumerate(counts.items()):
            (root / "bin-images" / f"{identity}.jpg").write_bytes(jpeg(seed=seed))
            (root / "metadata" / f"{identity}.json").write_text(json.dumps({"EXPECTED_QUANTITY": count}))
            listed.setdefault(str(count), []).append(f"data/metadata/{identity}.json")
        (root / "file_list.json").write_text(json.dumps(listed))
        return root

    return make


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment variables that lead boto3 to a server of this test session on 127.0.0.1."""
    folder = tmp_path_factory.mktemp("s3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(folder),
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=os.environ | own, cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(port, server, folder / "log")
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.terminate()
        server.wait()


def _wait(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"the S3 server did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def s3(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A boto3 client, in an environment in which the code under test finds the same server."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    s3_store.forget_clients()
    yield boto3.client("s3")
    s3_store.forget_clients()


@pytest.fixture
def upload(s3: Any) -> Callable[[Path, str], None]:
    """`upload(folder, bucket)` makes the bucket and puts the folder's files into it."""

    def put(folder: Path, bucket: str) -> None:
        s3.create_bucket(Bucket=bucket)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            s3.put_object(Bucket=bucket, Key=path.relative_to(folder).as_posix(), Body=path.read_bytes())

    return put
