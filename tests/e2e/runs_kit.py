"""Training runs for the tests of `bincount runs`: real jobs of the embedded cloud, and the command line."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import BUCKET, channel, ended_job, make_role, training_job

from demo.cloud import BINCOUNT, INFERENCE_IMAGE
from tests.unit.training.conftest import write_dataset

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND, WRONG = (
    "bins-local-0123456789abcdef-001-a",
    "try-local-second",
    "bins-local-0123456789abcdef-002-b",
)
METRICS = (
    "train:loss",
    "validation:rmse",
    "validation:accuracy",
    "test:rmse",
    "test:accuracy",
    "test:within_one",
)
FLAGS = {
    "arch": "resnet18", "image-size": "32", "batch-size": "8", "pretrained": "none", "max-count": "2",
    "precision": "fp16",
}  # fmt: skip


def code() -> bytes:
    """The code as the pipeline's archive has it, without requirements: what it needs is installed here."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in (
            ROOT / "training" / "train.py",
            ROOT / "training" / "bintrain",
            ROOT / "core" / "bincount_core",
        ):
            # Another process may be writing a file there that is gone a moment later.
            tar.add(path, arcname=path.name, filter=lambda each: None if "__pycache__" in each.name else each)
    return buffer.getvalue()


def request(name: str, role: str, **flags: str) -> dict[str, Any]:
    """CreateTrainingJob's request, with flags of train.py."""
    made = training_job(name=name, role=role)
    made["HyperParameters"] |= FLAGS | flags
    made["InputDataConfig"] = [channel("dataset", "datasets/tiny/"), channel("code", "code/")]
    made["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": metric, "Regex": f"metric={metric} value=([-+0-9.eE]+)"} for metric in METRICS
    ]
    return made


@contextmanager
def cloud_with_runs(out: Path) -> Iterator[Cloud]:
    """Two runs that ended well, and one whose flag is wrong."""
    with Cloud(data_dir=out / "cloud", project=BINCOUNT) as cloud:
        s3, sagemaker = cloud.client("s3"), cloud.client("sagemaker")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="code/training.tar.gz", Body=code())
        dataset = write_dataset(
            out / "tiny", train=[0, 1, 2] * 8, validation=[0, 1, 2] * 4, test=[0, 1, 2] * 4
        )
        for path in dataset.rglob("*"):
            if path.is_file():
                key = f"datasets/tiny/{path.relative_to(dataset)}"
                s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        prices = {"prices": {"ml.m5.large": 3600.0}}
        cloud.client("ssm").put_parameter(
            Name="/bincount/local/training", Value=json.dumps(prices), Type="String"
        )
        role = make_role(cloud, name="trainer", actions=["s3:*", "logs:*", "cloudwatch:*", "ecr:*"])
        for name, flags in {
            FIRST: {"epochs": "3"}, SECOND: {"epochs": "2", "learning-rate": "0.002"}, WRONG: {"epochs": "0"},
        }.items():  # fmt: skip
            sagemaker.create_training_job(**request(name, role, **flags))
            ended_job(cloud, name)
        yield cloud


def call_bincount(
    cloud: Cloud, *arguments: str, folder: Path, check: int = 0
) -> subprocess.CompletedProcess[str]:
    """`bincount …` in `folder`; it must exit with `check`."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
        "BINCOUNT_STAGE": "local",
        "BINCOUNT_CLOUD": str(cloud.client_file),
    }
    done = subprocess.run(
        [sys.executable, "-m", "bincount", *arguments],
        capture_output=True, text=True, timeout=300, cwd=folder, env=environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == check, done.stdout + done.stderr
    return done


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    """DescribeTrainingJob's answer."""
    return cloud.client("sagemaker").describe_training_job(TrainingJobName=name)


def register(cloud: Cloud, name: str, *, page: bytes, bucket: str = BUCKET) -> str:
    """A version of the model that this run wrote, with its page of the gate; its ARN."""
    sagemaker, folder = cloud.client("sagemaker"), f"evaluations/{name}"
    for file, data in (("report.html", page), ("verdict.json", b'{"accepted": true}')):
        cloud.client("s3").put_object(Bucket=bucket, Key=f"{folder}/{file}", Body=data)
    model = described(cloud, name)["ModelArtifacts"]["S3ModelArtifacts"]
    package = sagemaker.create_model_package(
        ModelPackageGroupName="bincount-local",
        ModelApprovalStatus="PendingManualApproval",
        ModelPackageDescription=f"Trained by {name}. Accepted by the gate.",
        InferenceSpecification={
            "Containers": [{"Image": INFERENCE_IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        ModelMetrics={
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json", "S3Uri": f"s3://{bucket}/{folder}/verdict.json"
                }
            }
        },
        CustomerMetadataProperties={
            "training_job": name, "verdict": "accepted", "report": f"s3://{bucket}/{folder}/report.html",
            "accuracy": "0.75", "rmse": "0.5",
        },
    )  # fmt: skip
    return package["ModelPackageArn"]


def output_of(cloud: Cloud, name: str) -> dict[str, bytes]:
    """What the run wrote beside its model, file by file."""
    key = f"models/{name}/output/output.tar.gz"
    archive = io.BytesIO(cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
    with tarfile.open(fileobj=archive) as tar:
        files = [member for member in tar.getmembers() if member.isfile()]
        opened = {member.name.removeprefix("./"): tar.extractfile(member) for member in files}
        return {file: stream.read() for file, stream in opened.items() if stream}
