"""What the tests of releases work with: gray bins, models that read them, gate, registry and endpoint."""

import io
import json
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openvino as ov
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import wait_until
from PIL import Image

from bincount.stage.execution import Execution
from demo.deployment import Deployment
from demo.source import upload
from infra.tools.teardown import JOB_GROUPS
from tests.e2e.part_settings import ONE_PART
from tests.unit.inference.conftest import MODEL_JSON, brightness_network

STAGE = "bincount-local"
PARAMETER = "/bincount/local/model"
REQUEST = {
    "source": {"bucket": "aft-vbi-pds"},
    "file_list": "s3://aft-vbi-pds/file_list.json",
    "validation_share": 0.5,
}
TERMINAL = ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")


def gray_bin(count: int, *, height: int = 48) -> bytes:
    """An image whose brightness gives the count: 40 for each object."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, height), (40 * count,) * 3).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def make_gray_bins(folder: Path, *, images: int) -> Path:
    """Gray bins with 0 to 5 objects in the public layout, each in a block of its own, no two alike."""
    listed: dict[str, list[str]] = {}
    for number in range(images):
        identity, count = str(number * 100 + 7), number % 6
        for name, content in (
            (f"bin-images/{identity}.jpg", gray_bin(count, height=48 + number)),
            (f"metadata/{identity}.json", json.dumps({"EXPECTED_QUANTITY": count}).encode()),
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        listed.setdefault(str(count), []).append(f"data/metadata/{identity}.json")
    (folder / "file_list.json").write_text(json.dumps(listed))
    return folder


def model_archive(name: str, *, step: int) -> bytes:
    """A model.tar.gz that takes each `step` of brightness for an object: 40 counts the gray bins rightly."""
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        ov.save_model(brightness_network(classes=6, step=step), Path(scratch) / "model.xml")
        (Path(scratch) / "model.json").write_text(json.dumps({**MODEL_JSON, "model_id": name}))
        for file in Path(scratch).iterdir():
            archive.add(file, arcname=file.name)
    return buffer.getvalue()


@dataclass
class Load:
    """Requests without a pause from two callers: how many, which models answered, what failed."""

    answered: int = 0
    models: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


class Releases:
    """The deployed stage, and what a person or a pipeline does to it."""

    def __init__(self, cloud: Cloud, out: Path) -> None:
        self.cloud = cloud
        self.out = out
        self.outputs: dict[str, dict[str, str]] = {}

    def deployment(self, **overrides: str) -> Deployment:
        """The CDK, with these settings."""
        given = {**ONE_PART, "release.approval": "manual", "data_prep.batch_size": "60", **overrides}
        return Deployment(
            environment=self.cloud.environment(), out=self.out, overrides=given, say=lambda _: None
        )

    def fill_source(self) -> None:
        """Put the gray bins where the public ones would be."""
        bins = make_gray_bins(self.out / "bins", images=120)
        upload(self.cloud.client("s3"), bins, progress=lambda done, all_: None)

    @property
    def bucket(self) -> str:
        """The stage's bucket."""
        return self.outputs[f"{STAGE}-data"]["BucketName"]

    def gate(self, name: str, *, step: int) -> dict[str, Any]:
        """Put a model where training would, and let the pipeline evaluate and register it; its output."""
        address = {"Bucket": self.bucket, "Key": f"models/{name}/output/model.tar.gz"}
        self.cloud.client("s3").put_object(**address, Body=model_archive(name, step=step))
        model_data = f"s3://{address['Bucket']}/{address['Key']}"
        given = {"request": REQUEST, "candidate": {"training_job": name, "model_data": model_data}}
        stepfunctions = self.cloud.client("stepfunctions")
        arn = stepfunctions.start_execution(
            stateMachineArn=self.outputs[f"{STAGE}-training"]["PipelineArn"], input=json.dumps(given)
        )["executionArn"]
        execution = Execution(client=stepfunctions, arn=arn)
        list(execution.follow())
        return json.loads(execution.output)

    def package(self, gated: dict[str, Any]) -> dict[str, Any]:
        """The model package that an execution of the pipeline registered."""
        sagemaker = self.cloud.client("sagemaker")
        return sagemaker.describe_model_package(ModelPackageName=gated["model_package"])

    def decide(self, gated: dict[str, Any], status: str = "Approved") -> None:
        """Set the package's approval, as a person does."""
        sagemaker = self.cloud.client("sagemaker")
        sagemaker.update_model_package(ModelPackageArn=gated["model_package"], ModelApprovalStatus=status)

    def roll_back(self, gated: dict[str, Any]) -> None:
        """What `bincount models rollback` sends."""
        wanted = {"rollback": {"model_package": gated["model_package"]}}
        self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[f"{STAGE}-serving"]["ReleaseArn"], input=json.dumps(wanted)
        )

    def executions(self) -> dict[str, dict[str, Any]]:
        """Every execution of the release machine, described, oldest first."""
        stepfunctions = self.cloud.client("stepfunctions")
        arn = self.outputs[f"{STAGE}-serving"]["ReleaseArn"]
        pages = stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn)
        found = [item["executionArn"] for page in pages for item in page["executions"]]
        described = [stepfunctions.describe_execution(executionArn=arn) for arn in found]
        return {item["executionArn"]: item for item in sorted(described, key=lambda item: item["startDate"])}

    @contextmanager
    def releases(self, *, at_least: int = 1) -> Iterator[list[dict[str, Any]]]:
        """Fills the list with the executions that the block set off, once all of them have ended."""
        before = self.executions().keys()
        ended: list[dict[str, Any]] = []
        yield ended

        def new() -> list[dict[str, Any]]:
            return [item for arn, item in self.executions().items() if arn not in before]

        def done(found: list[dict[str, Any]]) -> bool:
            # Each bad end sets off one more execution, which looks for something to put back.
            bad = sum(item["status"] not in ("SUCCEEDED", "RUNNING") for item in found)
            return len(found) >= at_least + bad and all(item["status"] in TERMINAL for item in found)

        ended += wait_until(new, done)

    def serving(self) -> tuple[str, str, str]:
        """The approved model, the model that the endpoint really serves, and its configuration."""
        sagemaker = self.cloud.client("sagemaker")
        approved = self.cloud.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        try:
            config = sagemaker.describe_endpoint(EndpointName=STAGE)["EndpointConfigName"]
        except ClientError:
            return approved, "nothing", ""
        return approved, str(self.ask(gray_bin(1))["model"]), config

    def ask(self, image: bytes) -> dict[str, Any]:
        """The endpoint's answer about an image."""
        runtime = self.cloud.client("sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName=STAGE, ContentType="image/jpeg", Body=image)
        return json.loads(answer["Body"].read())

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Two callers that never pause, until the block has ended and each has asked some times more."""
        load, stop, image = Load(), threading.Event(), gray_bin(2)

        def call() -> None:
            after = 20
            while after:
                after -= stop.is_set()
                try:
                    load.models.add(self.ask(image)["model"])
                    load.answered += 1
                except Exception as error:  # whatever a caller would see is a failed request
                    load.failures.append(repr(error))
                time.sleep(0.01)

        callers = [threading.Thread(target=call, daemon=True) for _ in range(2)]
        for caller in callers:
            caller.start()
        try:
            yield load
        finally:
            stop.set()
            for caller in callers:
                caller.join()

    def logs(self) -> list[str]:
        """Log groups and streams; of SageMaker's groups, which all stages share, the streams alone."""
        logs, found = self.cloud.client("logs"), []
        for group in logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            streams = logs.describe_log_streams(logGroupName=name)["logStreams"]
            found += [f"{name} {stream['logStreamName']}" for stream in streams]
            found += [] if name in JOB_GROUPS else [name]
        return found

    def stacks(self) -> dict[str, str]:
        """All stacks and their status."""
        stacks = self.cloud.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in stacks}


def reason(execution: dict[str, Any]) -> str:
    """Why an execution that changed nothing says so."""
    assert execution["status"] == "SUCCEEDED", (execution.get("error"), execution.get("cause"))
    return json.loads(execution["output"])["reason"]
