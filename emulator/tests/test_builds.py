"""CodeBuild in the embedded cloud: an image is built with its project's role, pushed, and then serves."""

import io
import json
import zipfile
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import (
    BUCKET,
    log_lines,
    make_configs,
    make_role,
    served_weight,
    settled_endpoint,
    wait_until,
)

REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
# The commands of cdklabs.deploy-time-build, which builds the serving image on AWS.
COMMANDS = [
    'aws s3 cp "$sourceS3Url" temp.zip',
    "unzip temp.zip",
    "aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin $registry",
    "docker buildx build --platform linux/amd64 --output type=docker,name=artifact:$imageTag .",
    "docker tag artifact:$imageTag $registry/server:$imageTag",
    "docker push $registry/server:$imageTag",
]
PULL = ["ecr:BatchGetImage", "s3:GetObject", "s3:ListBucket", "logs:*"]


@pytest.fixture(scope="module")
def source(cloud: Cloud) -> str:
    """The address of what is built."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Dockerfile", "FROM scratch\n")
        archive.writestr("http/__init__.py", "")  # is not taken for Python's own
    cloud.client("s3").put_object(Bucket=BUCKET, Key="source.zip", Body=buffer.getvalue())
    cloud.client("ecr").create_repository(repositoryName="server")
    return f"s3://{BUCKET}/source.zip"


def build(cloud: Cloud, *, role: str, project: str, **variables: str) -> dict[str, Any]:
    """A build of a project of this name, at its end."""
    codebuild = cloud.client("codebuild")
    specification = {"version": "0.2", "phases": {"build": {"commands": COMMANDS}}}
    codebuild.create_project(
        name=project,
        serviceRole=role,
        source={"type": "NO_SOURCE", "buildspec": json.dumps(specification)},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    )
    given = [{"name": name, "value": value} for name, value in {"registry": REGISTRY, **variables}.items()]
    started = codebuild.start_build(projectName=project, environmentVariablesOverride=given)["build"]
    assert started["buildStatus"] == "IN_PROGRESS"
    return wait_until(
        lambda: codebuild.batch_get_builds(ids=[started["id"]])["builds"][0],
        lambda found: found["buildStatus"] != "IN_PROGRESS",
    )


def log_of(cloud: Cloud, ended: dict[str, Any]) -> list[str]:
    """What a build printed."""
    return log_lines(cloud, ended["logs"]["groupName"], ended["logs"]["streamName"])


def test_what_a_build_pushed_serves(cloud: Cloud, source: str):
    rights = ["s3:GetObject", "ecr:GetAuthorizationToken", "ecr:PutImage", "logs:*"]
    role = make_role(cloud, name="builder", actions=rights)
    ended = build(cloud, role=role, project="able", sourceS3Url=source, imageTag="built")
    assert ended["buildStatus"] == "SUCCEEDED", log_of(cloud, ended)
    make_configs(cloud, make_role(cloud, name="puller", actions=PULL), {"one": f"{REGISTRY}/server:built"})
    cloud.client("sagemaker").create_endpoint(EndpointName="built", EndpointConfigName="one")
    assert settled_endpoint(cloud, "built")["EndpointStatus"] == "InService"
    assert served_weight(cloud, "built") == 1


def test_an_image_that_nobody_pushed_does_not(cloud: Cloud, source: str):
    role = make_role(cloud, name="puller-of-nothing", actions=PULL)
    make_configs(cloud, role, {"two": f"{REGISTRY}/server:never"})
    cloud.client("sagemaker").create_endpoint(EndpointName="never", EndpointConfigName="two")
    endpoint = settled_endpoint(cloud, "never")
    assert endpoint["EndpointStatus"] == "Failed"
    assert "server:never" in endpoint["FailureReason"]


def test_a_build_whose_role_may_not_push_fails(cloud: Cloud, source: str):
    role = make_role(cloud, name="reader", actions=["s3:GetObject", "ecr:GetAuthorizationToken", "logs:*"])
    ended = build(cloud, role=role, project="unable", sourceS3Url=source, imageTag="refused")
    assert ended["buildStatus"] == "FAILED"
    assert any("ecr:PutImage" in line for line in log_of(cloud, ended))
