"""`bincount runs` and `report`: runs of a stage, as real jobs of the embedded cloud left them."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import BUCKET, channel, ended_job, make_role, training_job

from bincount.cli.runs import REPORT
from demo.cloud import BINCOUNT, INFERENCE_IMAGE
from tests.browser.look import complaints, look
from tests.unit.training.conftest import write_dataset

pytestmark = pytest.mark.e2e
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
            tar.add(path, arcname=path.name)
    return buffer.getvalue()


def request(name: str, role: str, **flags: str) -> dict[str, Any]:
    made = training_job(name=name, role=role)
    made["HyperParameters"] |= FLAGS | flags
    made["InputDataConfig"] = [channel("dataset", "datasets/tiny/"), channel("code", "code/")]
    made["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": metric, "Regex": f"metric={metric} value=([-+0-9.eE]+)"} for metric in METRICS
    ]
    return made


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cloud]:
    """Two runs that ended well, and one whose flag is wrong."""
    out = tmp_path_factory.mktemp("runs")
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


@pytest.fixture
def bincount(cloud: Cloud, tmp_path: Path):
    def call(*arguments: str, check: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}/client:{ROOT}/core",
            "BINCOUNT_STAGE": "local",
            "BINCOUNT_CLOUD": str(cloud.client_file),
        }
        done = subprocess.run(
            [sys.executable, "-m", "bincount", *arguments],
            capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == check, done.stdout + done.stderr
        return done

    return call


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.client("sagemaker").describe_training_job(TrainingJobName=name)


def test_runs_are_listed_with_what_sagemaker_says_of_them(cloud: Cloud, bincount: Any) -> None:
    found = [json.loads(line) for line in bincount("runs", "--json").stdout.splitlines()]
    assert [run["name"] for run in found] == [WRONG, SECOND, FIRST]
    wrong, second, _ = found
    job = described(cloud, SECOND)
    assert second["metrics"] == {row["MetricName"]: row["Value"] for row in job["FinalMetricDataList"]}
    assert set(METRICS) == set(second["metrics"])
    assert second["parameters"] == FLAGS | {"epochs": "2", "learning-rate": "0.002"}
    assert (second["dataset"], second["cost_usd"]) == ("tiny", job["BillableTimeInSeconds"])
    assert (second["gate"], second["interruptions"], second["spot"]) == (None, 0, False)
    assert (wrong["status"], wrong["output"]) == ("Failed", None)
    assert "epochs" in wrong["reason"]


def test_the_table_marks_the_best_and_can_be_of_chosen_runs(bincount: Any) -> None:
    table = bincount("runs", FIRST, SECOND).stdout
    assert "*" in table and "Failed" not in table
    assert "no run 'bins-local-none'" in bincount("runs", "bins-local-none", check=1).stderr


def test_the_page_has_a_curve_for_each_run_that_wrote_one(bincount: Any, tmp_path: Path) -> None:
    bincount("runs", "--page", "runs.html")
    page = tmp_path / "runs.html"
    assert page.read_text(encoding="utf-8").count("<polyline") == 4 * 2
    views = look(page, tmp_path / "looks")
    assert not complaints(page, views)
    assert all(name in views["desk"].text for name in (FIRST, SECOND, WRONG))


def test_a_report_is_the_page_that_the_run_wrote(cloud: Cloud, bincount: Any, tmp_path: Path) -> None:
    key = f"models/{FIRST}/output/output.tar.gz"
    archive = io.BytesIO(cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
    with tarfile.open(fileobj=archive) as tar:
        names = {member.name.removeprefix("./"): member for member in tar.getmembers()}
        file = tar.extractfile(names[REPORT])
        assert file is not None
        written = file.read()
    done = bincount("report", FIRST, "--no-open", "--stage", "dev")
    assert done.stdout.strip() == str(tmp_path / f"{FIRST}.html")
    assert (tmp_path / f"{FIRST}.html").read_bytes() == written


def test_a_run_without_a_page_says_why(bincount: Any) -> None:
    assert "Failed" in bincount("report", WRONG, "--no-open", check=1).stderr


def test_a_version_has_the_page_of_the_gate(cloud: Cloud, bincount: Any, tmp_path: Path) -> None:
    sagemaker, page = cloud.client("sagemaker"), "evaluations/one/report.html"
    cloud.client("s3").put_object(Bucket=BUCKET, Key=page, Body=b"the gate's page")
    sagemaker.create_model_package_group(ModelPackageGroupName="bincount-local")
    model = described(cloud, FIRST)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model_package(
        ModelPackageGroupName="bincount-local",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": INFERENCE_IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        CustomerMetadataProperties={
            "training_job": FIRST, "verdict": "accepted", "report": f"s3://{BUCKET}/{page}",
        },
    )  # fmt: skip
    (run,) = (json.loads(line) for line in bincount("runs", FIRST, "--json").stdout.splitlines())
    assert (run["gate"], run["versions"]) == ("accepted", [1])
    bincount("report", "1", "--no-open")
    assert (tmp_path / "bincount-local-version-1.html").read_bytes() == b"the gate's page"
    assert "has no version 3" in bincount("report", "3", "--no-open", check=1).stderr
