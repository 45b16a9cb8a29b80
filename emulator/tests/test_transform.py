"""Batch transform in the embedded cloud: a real server process, real HTTP, answers in S3."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import (
    BUCKET,
    SERVER_IMAGE,
    make_configs,
    run_state,
    start_state,
    wait_until,
)


@pytest.fixture(scope="module")
def role(cloud: Cloud, role: str) -> str:
    """The one that may do all; a model of its own is there to transform with."""
    make_configs(cloud, role, {"two": SERVER_IMAGE})
    return role


def request(cloud: Cloud, name: str, objects: dict[str, bytes], **members: Any) -> dict[str, Any]:
    """A CreateTransformJob request over a manifest of these objects, which are put first."""
    s3 = cloud.client("s3")
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=f"{name}/{key}", Body=body)
    manifest = [{"prefix": f"s3://{BUCKET}/{name}/"}, *objects]
    s3.put_object(Bucket=BUCKET, Key=f"{name}.json", Body=json.dumps(manifest).encode())
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/{name}.json"}
    return {
        "TransformJobName": name,
        "ModelName": "two",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "image/jpeg"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out-{name}", "Accept": "application/json"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **members,
    }


def ended(cloud: Cloud, name: str) -> dict[str, Any]:
    return wait_until(
        lambda: cloud.client("sagemaker").describe_transform_job(TransformJobName=name),
        lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
    )


def answers(cloud: Cloud, name: str) -> dict[str, Any]:
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"out-{name}/").get("Contents", [])
    return {
        item["Key"].removeprefix(f"out-{name}/"): json.loads(
            s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
        )
        for item in listed
    }


def transform_state(job: dict[str, Any]) -> dict[str, Any]:
    resource = "arn:aws:states:::sagemaker:createTransformJob.sync"
    return {"Type": "Task", "Resource": resource, "Parameters": job}


def test_every_listed_object_becomes_an_answer_under_its_name(cloud: Cloud, role: str):
    objects = {"a.jpg": b"\x01", "aisle 2/a.jpg": b"\x02", "aisle 2/ü.jpg": b"\x03"}
    cloud.client("sagemaker").create_transform_job(**request(cloud, "listed", objects))
    assert ended(cloud, "listed")["TransformJobStatus"] == "Completed"
    found = answers(cloud, "listed")
    assert {name: answer["bytes"] for name, answer in found.items()} == {
        "a.jpg.out": 1,
        "aisle 2/a.jpg.out": 2,
        "aisle 2/ü.jpg.out": 3,
    }
    assert {(answer["type"], answer["weight"]) for answer in found.values()} == {("image/jpeg", 2)}


def test_a_prefix_gives_everything_below_it(cloud: Cloud, role: str):
    job = request(cloud, "prefix", {f"{n}.jpg": bytes([n]) for n in range(30)}, MaxConcurrentTransforms=4)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/prefix/"}
    job["TransformInput"]["DataSource"]["S3DataSource"] = source
    cloud.client("sagemaker").create_transform_job(**job)
    assert ended(cloud, "prefix")["TransformJobStatus"] == "Completed"
    assert {answer["bytes"] for answer in answers(cloud, "prefix").values()} == set(range(30))


def test_a_4xx_of_the_server_fails_the_job_and_names_the_object(cloud: Cloud, role: str):
    job = request(cloud, "refused", {"good.jpg": b"\x01", "bad.jpg": b"not an image"})
    execution = run_state(cloud, role, transform_state(job))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    reason = json.loads(execution["cause"])["FailureReason"]
    assert "refused/bad.jpg" in reason and "undecodable_image" in reason


def test_a_synchronous_task_waits_for_the_job(cloud: Cloud, role: str):
    execution = run_state(cloud, role, transform_state(request(cloud, "sync", {"a.jpg": b"\x05"})))
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["TransformJobStatus"] == "Completed"
    assert [answer["bytes"] for answer in answers(cloud, "sync").values()] == [5]


def test_stopping_the_execution_stops_the_job(cloud: Cloud, role: str):
    sagemaker = cloud.client("sagemaker")
    objects = {f"{n}.jpg": b"slow" for n in range(40)}
    job = request(cloud, "aborted", objects, MaxConcurrentTransforms=1)
    arn = start_state(cloud, role, transform_state(job))
    wait_until(lambda: sagemaker.list_transform_jobs(NameContains="aborted")["TransformJobSummaries"], bool)
    cloud.client("stepfunctions").stop_execution(executionArn=arn)
    assert ended(cloud, "aborted")["TransformJobStatus"] == "Stopped"
    assert len(answers(cloud, "aborted")) < 40


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "must not exceed 100 MB"),
        ({"BatchStrategy": "MultiRecord"}, "SingleRecord"),
    ],
)
def test_what_cannot_run_is_an_error_at_once(cloud: Cloud, role: str, members: dict[str, Any], words: str):
    with pytest.raises(ClientError, match=words):
        cloud.client("sagemaker").create_transform_job(
            **request(cloud, "never", {"a.jpg": b"\x01"}, **members)
        )
