"""Faults on the wire and in the worker: the same manifest as without, or a clear failure and no dataset."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_prep.errors import DataPrepError, TransferFailed
from data_prep.handler import handler
from data_prep.storage import s3_store
from tests.faults.faulty_proxy import FaultyProxy, share_of

COUNTS = {f"{block * 100 + place:05d}": (block + place) % 5 for block in range(30) for place in range(4)}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def proxy(s3_environment: dict[str, str]) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(upstream_port=int(s3_environment["AWS_ENDPOINT_URL"].rpartition(":")[2]))
    yield proxy
    proxy.close()


@pytest.fixture
def faulty(proxy: FaultyProxy, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """The proxy, in the way of the code under test; the client `s3` goes round it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
    s3_store.forget_clients()
    proxy.met.clear()
    yield proxy
    proxy.choose = lambda method, path: None


@pytest.fixture
def source(
    s3: Any, upload: Callable[[Path, str], None], make_source: Callable[..., Path], request: Any
) -> str:
    name = "faults-source"
    if name not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        upload(make_source(COUNTS), name)
    return name


Run = Callable[[str], dict[str, Any]]


@pytest.fixture
def run(s3: Any, source: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Does all steps with the stage's bucket that is named; returns the answer of seal."""

    def steps(stage: str) -> dict[str, Any]:
        s3.create_bucket(Bucket=stage)
        monkeypatch.setenv("BUCKET", stage)
        request = {"source": {"bucket": source}, "file_list": f"s3://{source}/file_list.json"}
        opened = handler({"step": "open", "request": request}, None)
        planned = handler({"step": "plan", "dataset_id": opened["dataset_id"]}, None)
        items = json.loads(s3.get_object(Bucket=stage, Key=planned["work_list"]["key"])["Body"].read())
        batch = {"step": "arrange", "dataset_id": planned["dataset_id"]}
        for start in range(0, len(items), 50):
            handler({"Items": items[start : start + 50], "BatchInput": batch}, None)
        return handler({"step": "seal", "dataset_id": planned["dataset_id"]}, None)

    return steps


def manifest(s3: Any, stage: str) -> bytes:
    keys = [
        entry["Key"] for entry in s3.list_objects_v2(Bucket=stage, Prefix="datasets/").get("Contents", [])
    ]
    (key,) = (key for key in keys if key.endswith("manifest.jsonl.gz"))
    return s3.get_object(Bucket=stage, Key=key)["Body"].read()


@pytest.fixture
def whole(s3: Any, run: Run) -> bytes:
    """The manifest of a run without faults."""
    stage = "faults-none"
    if stage not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        assert run(stage)["images"] == len(COUNTS)
    return manifest(s3, stage)


@pytest.mark.parametrize(
    ("fault", "share", "method"),
    [("slow_down", 0.05, None), ("reset", 0.05, None), ("truncate", 0.05, "GET")],
)
def test_what_passes_with_another_try_leaves_no_trace(
    fault: Any,
    share: float,
    method: str | None,
    s3: Any,
    run: Run,
    whole: bytes,
    faulty: FaultyProxy,
) -> None:
    faulty.choose = share_of(fault, share, method=method)
    run(f"faults-{fault.replace('_', '-')}")
    assert faulty.met[fault] >= 5
    assert manifest(s3, f"faults-{fault.replace('_', '-')}") == whole


def test_missing_keys_are_rejected_with_their_reason_the_rest_is_kept(
    s3: Any, source: str, run: Run, whole: bytes, faulty: FaultyProxy
) -> None:
    gone = {identity for number, identity in enumerate(sorted(COUNTS)) if number % 40 == 7}
    faulty.choose = lambda method, path: (
        "gone" if any(path.startswith(f"/{source}/bin-images/{identity}.jpg") for identity in gone) else None
    )
    sealed = run("faults-gone")
    lines = s3.get_object(Bucket="faults-gone", Key=sealed["prefix"] + "rejected.jsonl.gz")["Body"].read()
    found = {line["id"]: line["reason"] for line in map(json.loads, gzip.decompress(lines).splitlines())}
    assert found == dict.fromkeys(gone, "missing_image")
    kept = [line for line in gzip.decompress(whole).splitlines() if json.loads(line)["id"] not in gone]
    assert gzip.decompress(manifest(s3, "faults-gone")).splitlines() == kept


@pytest.mark.parametrize(("fault", "message"), [("slow_down", "SlowDown"), ("truncate", "cut short")])
def test_a_lasting_fault_fails_without_a_dataset_and_can_be_resumed(
    fault: Any,
    message: str,
    s3: Any,
    source: str,
    run: Run,
    whole: bytes,
    faulty: FaultyProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = f"faults-always-{fault.replace('_', '-')}"
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    s3_store.forget_clients()
    bad = f"/{source}/bin-images/{sorted(COUNTS)[60]}.jpg"
    faulty.choose = lambda method, path: fault if method == "GET" and path.startswith(bad) else None
    with pytest.raises(TransferFailed, match=f"^TransferFailed: .*{message}"):
        run(stage)
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=stage)["Contents"]]
    assert not [key for key in keys if key.endswith("dataset.json")]
    with pytest.raises(DataPrepError, match="NotReconciled: .*70 image"):
        handler({"step": "seal", "dataset_id": keys[0].split("/")[1]}, None)

    faulty.choose = lambda method, path: None
    run(stage)
    assert manifest(s3, stage) == whole


def test_a_worker_killed_in_the_middle_of_a_batch_leaves_a_run_to_resume(
    s3: Any, source: str, whole: bytes, faulty: FaultyProxy
) -> None:
    stage = "faults-killed"
    s3.create_bucket(Bucket=stage)
    command = [
        sys.executable,
        "-m",
        "data_prep",
        "--quiet",
        "--source",
        f"s3://{source}",
        "--target",
        f"s3://{stage}",
    ]
    command += ["--file-list", f"s3://{source}/file_list.json"]
    seen: list[str] = []
    arrived = iter(range(70))

    def count(method: str, path: str) -> None:
        if method == "PUT" and path.startswith(f"/{stage}/datasets/") and next(arrived, None) is None:
            worker.send_signal(signal.SIGKILL)
        seen.append(path)

    faulty.choose = count
    worker = subprocess.Popen(command, cwd=ROOT, env=os.environ)
    assert worker.wait() == -signal.SIGKILL
    faulty.choose = lambda method, path: None
    time.sleep(0.2)  # what the proxy has in hand still reaches the server
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=stage, Prefix="datasets/")["Contents"]]
    assert 0 < len(keys) < len(COUNTS)
    assert not [key for key in keys if not key.endswith(".jpg")]

    subprocess.run(command, cwd=ROOT, env=os.environ, check=True, stdout=subprocess.DEVNULL)
    assert manifest(s3, stage) == whole
