"""What the tests of the embedded cloud send to it: a toy training script, a toy server, and requests."""

import io
import json
import sys
import tarfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from embedded_cloud.cloud import Cloud
from embedded_cloud.settings import Project

BUCKET = "bins"
SERVER_REPOSITORY = "toy-server"
SERVER_IMAGE = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{SERVER_REPOSITORY}:1"
WAIT_SECONDS = 300.0

TRAIN = """
import argparse, json, os, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("--weight", type=float, default=1.0)
parser.add_argument("--mode", default="good")
options = parser.parse_args()
bins = sorted(path.name for path in pathlib.Path(os.environ["SM_CHANNEL_DATASET"]).rglob("*.txt"))
print(f"bins={','.join(bins)}")
checkpoint = pathlib.Path(os.environ["CHECKPOINTS"], os.environ["TRAINING_JOB_NAME"] + ".txt")
print(f"restored={sorted(path.name for path in checkpoint.parent.iterdir())}")
if options.mode == "bad":
    raise ValueError("a bin has no label")
for epoch in range(2):
    print(f"metric=loss value={abs(options.weight - 0.5) + 1 - epoch:.4f} epoch={epoch}")
checkpoint.write_text("epoch 1")
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps({"weight": options.weight}))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "report.txt").write_text("fine")
while options.mode == "endless":
    time.sleep(0.1)
"""

SERVER = """
import json, pathlib, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
model = json.loads(pathlib.Path(sys.argv[1], "model.json").read_text())
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200, {})
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"not an image":
            return self.answer(400, {"error": {"code": "undecodable_image"}})
        if body == b"slow":
            time.sleep(1)
        self.answer(200, {"weight": model["weight"], "bytes": sum(body), "type": self.headers["Content-Type"],
                          "attributes": self.headers["X-Amzn-SageMaker-Custom-Attributes"]})
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


def tar_gz(files: dict[str, str]) -> bytes:
    """A .tar.gz with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def toy_project(folder: Path) -> Project:
    """Writes the toy server; a project that runs it in place of SERVER_IMAGE."""
    path = folder / "toy_server.py"
    path.write_text(SERVER, encoding="utf-8")
    return Project(
        folder=folder,
        server_command=(sys.executable, str(path), "{model_dir}", "{port}"),
        server_repository=SERVER_REPOSITORY,
    )


def fill_bucket(cloud: Cloud) -> None:
    """A bucket with training code, a dataset, two models and an earlier checkpoint."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    code = tar_gz({"train.py": TRAIN, "requirements.txt": "boto3\n"})
    objects = {
        "code/training.tar.gz": code,
        "datasets/one/train/1/00001.txt": b"1",
        "datasets/one/val/2/00002.txt": b"2",
        "checkpoints/earlier.txt": b"epoch 0",
        "models/one.tar.gz": tar_gz({"model.json": json.dumps({"weight": 1})}),
        "models/two.tar.gz": tar_gz({"model.json": json.dumps({"weight": 2})}),
        "models/broken.tar.gz": tar_gz({"readme.txt": "no model here"}),
    }
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def make_role(
    cloud: Cloud, *, name: str, actions: list[str], statements: Sequence[dict[str, Any]] = ()
) -> str:
    """A role for SageMaker and Step Functions that may do `actions`, and what `statements` (Action, Resource,
    Condition) allow beside them; returns its ARN.
    """
    iam = cloud.client("iam")
    services = ["sagemaker.amazonaws.com", "states.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allowed = [{"Effect": "Allow", **s} for s in ({"Action": actions, "Resource": "*"}, *statements)]
    rights = {"Version": "2012-10-17", "Statement": allowed}
    iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=json.dumps(rights))
    return arn


def channel(name: str, prefix: str) -> dict[str, Any]:
    """An input channel of a prefix in the bucket."""
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/{prefix}",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def training_job(*, name: str, role: str, seconds: int = 600, **hyperparameters: str) -> dict[str, Any]:
    """A CreateTrainingJob request for the toy script."""
    return {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": "000000000000.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.14",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "metric=loss value=([-+0-9.eE]+)"}],
        },
        "InputDataConfig": [channel("dataset", "datasets/one/"), channel("code", "code/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        "Environment": {"CHECKPOINTS": "/opt/ml/checkpoints"},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code/training.tar.gz",
            **hyperparameters,
        },
    }


def tuning_job(*, name: str, role: str, trials: int, **static: Any) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob request over `weight`."""
    definition = training_job(name="unused", role=role, **static)
    del definition["TrainingJobName"]
    definition["StaticHyperParameters"] = definition.pop("HyperParameters")
    ranges = [{"Name": "weight", "MinValue": "0", "MaxValue": "1"}]
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "RandomSeed": 3,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": min(2, trials)},
            "ParameterRanges": {"ContinuousParameterRanges": ranges},
        },
        "TrainingJobDefinition": definition,
    }


def wait_until(read: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """Reads until `done`; the last value. An AssertionError after WAIT_SECONDS says what was read last."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not done(value := read()):
        assert time.monotonic() < deadline, f"still {value!r} after {WAIT_SECONDS:.0f} s"
        time.sleep(0.2)
    return value


def ended_job(cloud: Cloud, name: str) -> dict[str, Any]:
    """The description of a training job once it has ended."""
    sagemaker = cloud.client("sagemaker")
    return wait_until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"),
    )


def settled_endpoint(cloud: Cloud, name: str) -> dict[str, Any]:
    """The description of an endpoint once it is neither creating nor updating."""
    sagemaker = cloud.client("sagemaker")
    return wait_until(
        lambda: sagemaker.describe_endpoint(EndpointName=name),
        lambda endpoint: endpoint["EndpointStatus"] not in ("Creating", "Updating"),
    )


def sums_of(cloud: Cloud, namespace: str, metric: str, **dimensions: str) -> list[float]:
    """The sums of a metric's minutes in the last ten."""
    now = datetime.now(UTC)
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return [point["Sum"] for point in answer["Datapoints"]]


def log_lines(cloud: Cloud, group: str, prefix: str, *, attempt: int = 1) -> list[str]:
    """The messages of the newest stream that starts with `prefix`, of which there is one an attempt."""
    logs = cloud.client("logs")
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    assert len(streams) == attempt, streams
    events = logs.get_log_events(
        logGroupName=group, logStreamName=streams[-1]["logStreamName"], startFromHead=True
    )
    return [event["message"] for event in events["events"]]


@contextmanager
def filled_cloud(folder: Path) -> Generator[Cloud]:
    """An embedded cloud with the toy server and the filled bucket."""
    with Cloud(data_dir=folder, project=toy_project(folder)) as cloud:
        fill_bucket(cloud)
        yield cloud


def served_weight(cloud: Cloud, endpoint: str, body: bytes = b"x") -> int:
    """Which model answers behind an endpoint."""
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=body)
    return json.loads(answer["Body"].read())["weight"]


def make_configs(cloud: Cloud, role: str, images: dict[str, str]) -> None:
    """A model and a configuration for each name; the archive has that name (`foreign` takes `one`)."""
    sagemaker = cloud.client("sagemaker")
    for name, image in images.items():
        url = f"s3://{BUCKET}/models/{'one' if name == 'foreign' else name}.tar.gz"
        container = {"Image": image, "ModelDataUrl": url}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1}
        variant["InstanceType"] = "ml.m5.large"
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def training_state(request: dict[str, Any]) -> dict[str, Any]:
    """A state that runs a training job to its end."""
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"
    return {"Type": "Task", "Resource": resource, "Parameters": request}


def start_state(cloud: Cloud, role: str, state: dict[str, Any]) -> str:
    """Starts a state machine of this one state; returns the execution's ARN."""
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "Only", "States": {"Only": {**state, "End": True}}})
    name = f"machine-{time.time_ns()}"
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    return states.start_execution(stateMachineArn=machine)["executionArn"]


def run_state(cloud: Cloud, role: str, state: dict[str, Any]) -> dict[str, Any]:
    """Runs a state machine of this one state; returns the execution's description at its end."""
    arn = start_state(cloud, role, state)
    return wait_until(
        lambda: cloud.client("stepfunctions").describe_execution(executionArn=arn),
        lambda execution: execution["status"] != "RUNNING",
    )
