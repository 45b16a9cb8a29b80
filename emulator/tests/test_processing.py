"""Processing jobs in the embedded cloud: files down, the image's command, files up."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import (
    BUCKET,
    SERVER_IMAGE,
    log_lines,
    run_state,
    start_state,
    wait_until,
)

ROOT = "/opt/ml/processing"
COPY = """
import os, pathlib, sys
source, target, word = sys.argv[1:]
names = sorted(path.name for path in pathlib.Path(source).rglob("*.txt"))
print("found", *names, os.environ["WORD"])
pathlib.Path(target, "names.txt").write_text(" ".join(names))
pathlib.Path(target).parents[1].joinpath("output", "message").write_text(word)
sys.exit(0 if word == "good" else 3)
"""
ENDLESS = ["python", "-c", "import time; time.sleep(600)"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of a job that writes down what it was given."""
    path = tmp_path_factory.mktemp("code") / "copy.py"
    path.write_text(COPY)
    return ["python", str(path)]


def processing_job(
    *, name: str, role: str, command: list[str], word: str = "good", **changes: Any
) -> dict[str, Any]:
    arguments = [f"{ROOT}/input", f"{ROOT}/output", word]
    read = {"S3Uri": f"s3://{BUCKET}/datasets/one/", "LocalPath": f"{ROOT}/input", "S3DataType": "S3Prefix"}
    write = {
        "S3Uri": f"s3://{BUCKET}/evaluations/{name}",
        "LocalPath": f"{ROOT}/output",
        "S3UploadMode": "EndOfJob",
    }
    cluster = {"InstanceCount": 1, "InstanceType": "ml.c5.xlarge", "VolumeSizeInGB": 5}
    request: dict[str, Any] = {
        "ProcessingJobName": name,
        "RoleArn": role,
        "AppSpecification": {
            "ImageUri": SERVER_IMAGE,
            "ContainerEntrypoint": command,
            "ContainerArguments": arguments,
        },
        "Environment": {"WORD": "hello"},
        "ProcessingInputs": [{"InputName": "dataset", "S3Input": {**read, "S3InputMode": "File"}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "names", "S3Output": write}]},
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {**request, **changes}


def ended(cloud: Cloud, name: str) -> dict[str, Any]:
    sagemaker = cloud.client("sagemaker")
    return wait_until(
        lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )


def test_a_job_reads_its_inputs_and_leaves_its_outputs_in_s3(
    cloud: Cloud, role: str, copy: list[str]
) -> None:
    cloud.client("sagemaker").create_processing_job(**processing_job(name="good", role=role, command=copy))
    job = ended(cloud, "good")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "good"), job
    names = cloud.client("s3").get_object(Bucket=BUCKET, Key="evaluations/good/names.txt")["Body"].read()
    assert names == b"00001.txt 00002.txt"
    assert log_lines(cloud, "/aws/sagemaker/ProcessingJobs", "good/") == ["found 00001.txt 00002.txt hello"]
    listed = cloud.client("sagemaker").list_processing_jobs(StatusEquals="Completed")
    assert [item["ProcessingJobName"] for item in listed["ProcessingJobSummaries"]] == ["good"]


def test_a_job_that_fails_says_why_and_leaves_nothing(cloud: Cloud, role: str, copy: list[str]) -> None:
    cloud.client("sagemaker").create_processing_job(
        **processing_job(name="bad", role=role, command=copy, word="no good")
    )
    job = ended(cloud, "bad")
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Failed", "no good")
    assert "exit code: 3" in job["FailureReason"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.client("s3").get_object(Bucket=BUCKET, Key="evaluations/bad/names.txt")


def test_a_job_is_stopped_and_ends_at_its_time_limit(cloud: Cloud, role: str) -> None:
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_processing_job(**processing_job(name="endless", role=role, command=ENDLESS))
    sagemaker.stop_processing_job(ProcessingJobName="endless")
    assert ended(cloud, "endless")["ProcessingJobStatus"] == "Stopped"
    limit = {"MaxRuntimeInSeconds": 1}
    request = processing_job(name="late", role=role, command=ENDLESS, StoppingCondition=limit)
    sagemaker.create_processing_job(**request)
    assert "MaxRuntimeInSeconds" in ended(cloud, "late")["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AppSpecification": {"ImageUri": "library/python:3"}}, "toy-server"),
        ({"AppSpecification": {"ImageUri": SERVER_IMAGE}}, "ContainerEntrypoint"),
        ({"ProcessingJobName": "good"}, "already exists"),
    ],
)
def test_what_cannot_run_is_an_error(
    cloud: Cloud, role: str, copy: list[str], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        cloud.client("sagemaker").create_processing_job(
            **processing_job(**{"name": "x", "role": role, "command": copy, **changes})
        )


def test_an_input_that_is_not_there_fails_the_job(cloud: Cloud, role: str, copy: list[str]) -> None:
    request = processing_job(name="empty", role=role, command=copy)
    request["ProcessingInputs"][0]["S3Input"]["S3Uri"] = f"s3://{BUCKET}/nothing/"
    cloud.client("sagemaker").create_processing_job(**request)
    assert "No S3 objects found" in ended(cloud, "empty")["FailureReason"]


def test_a_state_machine_waits_for_its_job_and_takes_it_along(
    cloud: Cloud, role: str, copy: list[str]
) -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync"}
    done = run_state(
        cloud, role, {**state, "Parameters": processing_job(name="sync", role=role, command=copy)}
    )
    assert json.loads(done["output"])["ExitMessage"] == "good"
    request = processing_job(name="taken", role=role, command=ENDLESS)
    arn = start_state(cloud, role, {**state, "Parameters": request})
    sagemaker = cloud.client("sagemaker")
    wait_until(lambda: sagemaker.list_processing_jobs(NameContains="taken")["ProcessingJobSummaries"], bool)
    cloud.client("stepfunctions").stop_execution(executionArn=arn)
    assert ended(cloud, "taken")["ProcessingJobStatus"] == "Stopped"
