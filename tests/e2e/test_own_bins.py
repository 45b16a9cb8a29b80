"""The stage of docs/own-bins.md on the embedded cloud: from a bucket of its own to a dataset, as deployed."""

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud

from demo.bins.own import draw
from demo.cloud import BINCOUNT, STAGE
from demo.deployment import Deployment
from tests.e2e.part_settings import ONE_PART
from tests.e2e.runs_kit import call_bincount

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own-bins.md").read_text()
(WRITTEN,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
SETTINGS: dict[str, Any] = json.loads(f"{{{WRITTEN}}}")["shop"]["data_prep"]
IMAGES = 240


def overrides() -> dict[str, str]:
    return {
        f"data_prep.{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in SETTINGS.items()
    }


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    draw(out=folder, images=IMAGES, seed=1, counts=range(1, 4))
    with (folder / "labels.csv").open("a", encoding="utf-8") as table:
        table.write("gone.jpg,1,bin 1\nx.jpg,many,bin 1\n")
    return folder


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, dict[str, dict[str, str]]]]:
    out = tmp_path_factory.mktemp("own-bins")
    with Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud:
        chosen = {**ONE_PART, **overrides()}
        deployment = Deployment(
            environment=cloud.environment(), out=out, overrides=chosen, say=lambda _: None
        )
        deployment.bootstrap()
        yield cloud, deployment.deploy(f"bincount-{STAGE}-training")


def sync(s3: Any, photographs: Path) -> None:
    """What the page's `aws s3 sync` and `aws s3 cp` do."""
    (prefix,) = re.findall(r"^    aws s3 sync photos s3://my-photographs/(\S*)$", PAGE, re.MULTILINE)
    (labels,) = re.findall(r"^    aws s3 cp labels\.csv s3://my-photographs/(\S*)$", PAGE, re.MULTILINE)
    s3.create_bucket(Bucket="my-photographs")
    for path in (path for path in (photographs / "photos").rglob("*") if path.is_file()):
        key = prefix + path.relative_to(photographs / "photos").as_posix()
        s3.put_object(Bucket="my-photographs", Key=key, Body=path.read_bytes())
    s3.put_object(Bucket="my-photographs", Key=labels, Body=(photographs / "labels.csv").read_bytes())


def test_the_pages_stage_makes_a_dataset_of_its_own_bucket(
    deployed: tuple[Cloud, dict[str, dict[str, str]]], photographs: Path, tmp_path: Path
) -> None:
    """By the page's own `bincount train`, which is not watched to its end, and `bincount models`."""
    cloud, outputs = deployed
    s3, bucket = cloud.client("s3"), outputs[f"bincount-{STAGE}-data"]["BucketName"]
    sync(s3, photographs)
    train, models = re.findall(r"^    bincount (\w+) .*--stage shop$", PAGE, re.MULTILINE)
    started = call_bincount(cloud, train, folder=tmp_path).stdout.split()
    address = sealed(cloud, started[-1])
    assert "no model" in call_bincount(cloud, models, folder=tmp_path).stdout
    assert address.startswith(f"s3://{bucket}/datasets/bins-")

    def read(name: str) -> bytes:
        key = address.removeprefix(f"s3://{bucket}/") + name
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    summary = json.loads(read("dataset.json"))
    assert (summary["images"], summary["rejected"]) == (IMAGES, {"bad_count": 1, "missing_image": 1})
    assert summary["source"]["kind"] == "table"
    names = {json.loads(line)["name"] for line in gzip.decompress(read("manifest.jsonl.gz")).splitlines()}
    photos = photographs / "photos"
    assert names == {path.relative_to(photos).as_posix() for path in photos.rglob("*") if path.is_file()}


def sealed(cloud: Cloud, arn: str) -> str:
    """The dataset's address once the execution has published it; the execution is stopped then."""
    states, parameters = cloud.client("stepfunctions"), cloud.client("ssm")
    while True:
        value = parameters.get_parameter(Name=f"/bincount/{STAGE}/dataset")["Parameter"]["Value"]
        if value != "none":
            states.stop_execution(executionArn=arn)
            return value
        answer = states.describe_execution(executionArn=arn)
        assert answer["status"] == "RUNNING", answer.get("cause")
        time.sleep(0.2)
