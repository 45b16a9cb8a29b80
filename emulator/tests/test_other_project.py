"""A project with nothing of the one beside this package: its own server, its own job, its own folder."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.settings import Project
from embedded_cloud.testing import make_role, settled_endpoint, tar_gz, wait_until

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/scales:3"
SERVER = """
import importlib.util, pathlib, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from scales.unit import UNIT
factor = int(pathlib.Path(sys.argv[1], "factor.txt").read_text())
foreign = [name for name in ("inference", "data_prep", "demo") if importlib.util.find_spec(name)]
class Handler(BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        self.answer("")
    def do_POST(self):
        weight = int(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(f"{factor * weight} {UNIT} {foreign}")
HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
JOB = """
import pathlib, sys
from scales.unit import UNIT
pathlib.Path(sys.argv[1], "unit.txt").write_text(UNIT)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project: a package `scales`, whose unit lies in a folder beside it."""
    project = tmp_path_factory.mktemp("project")
    for name, text in {"server": SERVER, "job": JOB}.items():
        (project / "scales").mkdir(exist_ok=True)
        (project / "scales" / f"{name}.py").write_text(text)
    (project / "beside" / "scales").mkdir(parents=True)
    (project / "beside" / "scales" / "unit.py").write_text('UNIT = "grams"\n')
    return project


@pytest.fixture(scope="module")
def cloud(folder: Path) -> Iterator[Cloud]:
    command = (sys.executable, "-m", "scales.server", "{model_dir}", "{port}")
    project = Project(
        folder=folder, server_command=command, server_repository="scales", python_path=[folder / "beside"]
    )
    with Cloud(data_dir=folder / "cloud", project=project) as started:
        started.client("s3").create_bucket(Bucket="scales")
        archive = tar_gz({"factor.txt": "3"})
        started.client("s3").put_object(Bucket="scales", Key="model.tar.gz", Body=archive)
        yield started


def deployed(cloud: Cloud, *, role: str, name: str, image: str) -> dict[str, Any]:
    """An endpoint of that image once it has settled."""
    sagemaker = cloud.client("sagemaker")
    container = {"Image": image, "ModelDataUrl": "s3://scales/model.tar.gz"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}
    variants = [{**variant, "InstanceType": "ml.m5.large"}]
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return settled_endpoint(cloud, name)


def test_its_endpoint_is_served_by_its_own_module(cloud: Cloud, role: str):
    assert deployed(cloud, role=role, name="scales", image=IMAGE)["EndpointStatus"] == "InService"
    runtime = cloud.client("sagemaker-runtime")
    assert runtime.invoke_endpoint(EndpointName="scales", Body=b"14")["Body"].read() == b"42 grams []"


def test_its_processing_job_runs_its_own_module(cloud: Cloud, role: str):
    output = {"S3Uri": "s3://scales/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    cloud.client("sagemaker").create_processing_job(
        ProcessingJobName="unit",
        RoleArn=role,
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python", "-m", "scales.job"],
            "ContainerArguments": ["/opt/ml/processing/out"],
        },
        ProcessingOutputConfig={"Outputs": [{"OutputName": "unit", "S3Output": output}]},
        ProcessingResources={"ClusterConfig": cluster},
    )
    job = wait_until(
        lambda: cloud.client("sagemaker").describe_processing_job(ProcessingJobName="unit"),
        lambda found: found["ProcessingJobStatus"] != "InProgress",
    )
    assert job["ProcessingJobStatus"] == "Completed", json.dumps(job, default=str)
    found = cloud.client("s3").get_object(Bucket="scales", Key="out/unit.txt")["Body"].read()
    assert found == b"grams"


def test_another_repository_s_image_is_not_replaced(cloud: Cloud, role: str):
    other = deployed(cloud, role=role, name="other", image=IMAGE.replace("scales", "bincount-inference"))
    assert other["EndpointStatus"] == "Failed"
    assert "--server-repository" in other["FailureReason"]


def test_a_cloud_without_a_server_says_what_to_name(tmp_path: Path):
    with Cloud(data_dir=tmp_path, project=Project(folder=tmp_path, server_repository="scales")) as cloud:
        role = make_role(cloud, name="all", actions=["*"])
        endpoint = deployed(cloud, role=role, name="scales", image=IMAGE)
    assert endpoint["EndpointStatus"] == "Failed"
    assert "--server-command" in endpoint["FailureReason"]
