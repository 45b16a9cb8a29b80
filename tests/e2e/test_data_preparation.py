"""Data preparation through the real state machine on the embedded cloud: folders and shards, and once more.

The tests are one journey: each goes on where the one before it ended.
"""

import gzip
import hashlib
import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from demo.bins.generate import generate
from demo.source import SOURCE_BUCKET, upload
from tests.e2e.common_stage import CommonStage

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
REQUEST = {
    "source": {"bucket": SOURCE_BUCKET},
    "file_list": f"s3://{SOURCE_BUCKET}/file_list.json",
    "layout": "both",
    "shard_mb": 1,
}
IMAGES = 120
PREPARED = "PublishDataset"
CHOICES = ("Has", "Is", "Needs", "UseStageRequest")
"""How the names of states that only choose begin."""


class Stage:
    """The deployed stage and the executions of its pipeline."""

    def __init__(self, common: CommonStage) -> None:
        self.s3 = common.cloud.client("s3")
        self.bucket = common.bucket
        self._pipeline = common.outputs["bincount-local-training"]["PipelineArn"]
        self._stepfunctions = common.cloud.client("stepfunctions")
        self._others = self._sealed()

    def prepare(self) -> list[str]:
        """Start the pipeline, stop it once the dataset is there; the states that were entered so far."""
        arn = self._stepfunctions.start_execution(
            stateMachineArn=self._pipeline, input=json.dumps({"request": REQUEST})
        )["executionArn"]
        while PREPARED not in (entered := self._entered(arn)):
            answer = self._stepfunctions.describe_execution(executionArn=arn)
            assert answer["status"] == "RUNNING", answer.get("cause")
            time.sleep(0.1)
        self._stepfunctions.stop_execution(executionArn=arn)
        return entered[: entered.index(PREPARED) + 1]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def objects(self, prefix: str) -> dict[str, str]:
        """{key: ETag and time}"""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        entries = [entry for page in pages for entry in page.get("Contents", [])]
        return {entry["Key"]: f"{entry['ETag']} {entry['LastModified']}" for entry in entries}

    def dataset_prefix(self) -> str:
        """Of the one dataset that was not there before."""
        (sealed,) = self._sealed() - self._others
        return sealed.removesuffix("dataset.json")

    def _sealed(self) -> set[str]:
        return {key for key in self.objects("datasets/") if key.endswith("/dataset.json")}

    def manifest(self) -> list[dict[str, Any]]:
        lines = gzip.decompress(self.read(self.dataset_prefix() + "manifest.jsonl.gz")).splitlines()
        return [json.loads(line) for line in lines]

    def _entered(self, arn: str) -> list[str]:
        pages = self._stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in events
            if "stateEnteredEventDetails" in event
        ]


@pytest.fixture(scope="module")
def stage(common_stage: CommonStage) -> Stage:
    bins = common_stage.out / "preparation"
    generate(out=bins, images=IMAGES, seed=5, counts=range(1, 4))
    upload(common_stage.cloud.client("s3"), bins, progress=lambda done, all_: None)
    return Stage(common_stage)


def test_a_request_for_folders_and_shards_goes_through_every_step(stage: Stage) -> None:
    assert [name for name in stage.prepare() if not name.startswith(CHOICES)] == [
        "Open",
        "Index",
        "Plan",
        "Arrange",
        "AssignShards",
        "Pack",
        "Seal",
        PREPARED,
    ]


def test_the_dataset_and_its_manifest_follow_their_schemas(stage: Stage) -> None:
    dataset = json.loads(stage.read(stage.dataset_prefix() + "dataset.json"))
    jsonschema.validate(dataset, _schema("dataset"))
    lines = stage.manifest()
    for line in lines:
        jsonschema.validate(line, _schema("manifest"))
    assert dataset["images"] == len(lines) == IMAGES


def test_the_shards_hold_exactly_the_images_of_the_folders(stage: Stage) -> None:
    prefix, lines = stage.dataset_prefix(), stage.manifest()
    packed = {
        f"{name} {member}": content
        for name in {line["shard"] for line in lines}
        for member, content in _members(stage.read(prefix + name)).items()
    }
    assert len(packed) == 2 * IMAGES
    for line in lines:
        image = packed[f"{line['shard']} {line['id']}.jpg"]
        assert image == stage.read(prefix + line["key"])
        assert hashlib.sha256(image).hexdigest() == line["sha256"]
        assert packed[f"{line['shard']} {line['id']}.cls"] == str(line["count"]).encode()


def test_a_run_that_lost_its_seal_and_a_record_does_only_what_is_missing(stage: Stage) -> None:
    prefix = stage.dataset_prefix()
    runs = prefix.replace("datasets/", "runs/")
    manifest, before = stage.read(prefix + "manifest.jsonl.gz"), stage.objects(prefix)
    lost = min(key for key in stage.objects(runs + "records/"))
    again = {json.loads(line)["id"] for line in gzip.decompress(stage.read(lost)).splitlines()}
    for key in (prefix + "dataset.json", lost):
        stage.s3.delete_object(Bucket=stage.bucket, Key=key)
    stage.prepare()
    work = json.loads(stage.read(runs + "work.json"))
    assert {item["id"] for item in work} == again
    assert stage.read(prefix + "manifest.jsonl.gz") == manifest
    after = stage.objects(prefix)
    kept = [key for key in before if key.endswith(".jpg") and Path(key).stem not in again]
    assert len(kept) == IMAGES - len(again) and all(after[key] == before[key] for key in kept)


def test_a_sealed_dataset_is_published_at_once_and_not_touched(stage: Stage) -> None:
    before = stage.objects("datasets/")
    entered = stage.prepare()
    assert entered == ["HasRequest", "Open", "IsSealed", PREPARED]
    assert stage.objects("datasets/") == before


def _schema(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text())


def _members(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as shard:
        return {
            member.name: file.read() for member in shard if (file := shard.extractfile(member)) is not None
        }
