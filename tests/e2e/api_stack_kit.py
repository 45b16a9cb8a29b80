"""The API stack alone on a strict cloud, with an endpoint behind it that runs the real server."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from embedded_cloud.cloud import Cloud
from embedded_cloud.identity import ACCOUNT
from embedded_cloud.testing import make_role, settled_endpoint, wait_until

from demo.cloud import INFERENCE_IMAGE
from infra import settings
from infra.api.stack import ApiStack
from tests.e2e.api_kit import Api
from tests.e2e.tiny_model import model_archive
from tests.infra.conftest import context

STACK = "bincount-local-api"
ENDPOINT = "bincount-local"
BUCKET = "bincount-local-data"
TEMPLATES = "templates-of-tests"


def deployed_api(cloud: Cloud, **overrides: Any) -> Api:
    """The API of the stage `local` and its bucket, with settings as on the command line laid over."""
    with tempfile.TemporaryDirectory() as out:
        app = cdk.App(outdir=out)
        chosen = settings.load(context(stage="local", **overrides).get)
        environment = cdk.Environment(account=ACCOUNT, region=chosen.region)
        data = cdk.Stack(app, "Data", env=environment)
        bucket = s3.Bucket.from_bucket_name(data, "Bucket", BUCKET)
        stack = ApiStack(app, STACK, settings=chosen, bucket=bucket, key=None, env=environment)
        artifact = app.synth().get_stack_artifact(stack.artifact_id)
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        publish_assets(cloud, Path(out))
        return Api(cloud, deploy_api(cloud, json.dumps(artifact.template))["ApiUrl"])


def publish_assets(cloud: Cloud, out: Path) -> None:
    """Puts the files of the assembly into the bootstrap's bucket, as `cdk deploy` does before a stack."""
    client = cloud.client("s3")
    files: dict[str, Any] = json.loads((out / f"{STACK}.assets.json").read_text())["files"]
    for file in files.values():
        path = out / file["source"]["path"]
        if path.name.endswith(".template.json"):
            continue  # deploy_api sends it
        body = zipped(path) if file["source"]["packaging"] == "zip" else path.read_bytes()
        for where in file["destinations"].values():
            client.create_bucket(Bucket=where["bucketName"])
            client.put_object(Bucket=where["bucketName"], Key=where["objectKey"], Body=body)


def zipped(folder: Path) -> bytes:
    """The files of an asset that is a folder, as the CDK sends them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for path in sorted(folder.rglob("*")):
            writer.write(path, path.relative_to(folder))
    return archive.getvalue()


def deploy_api(cloud: Cloud, template: str) -> dict[str, str]:
    """Creates the stack, or updates it; its outputs."""
    formation = cloud.client("cloudformation")
    version = "/cdk-bootstrap/hnb659fds/version"
    cloud.client("ssm").put_parameter(Name=version, Value="30", Type="String", Overwrite=True)
    names = [stack["StackName"] for stack in formation.describe_stacks()["Stacks"]]
    put = formation.update_stack if STACK in names else formation.create_stack
    # A template above 51,200 bytes is taken from a bucket alone; the CDK sends all of its own so.
    cloud.client("s3").create_bucket(Bucket=TEMPLATES)
    cloud.client("s3").put_object(Bucket=TEMPLATES, Key="api.json", Body=template.encode())
    address = f"https://s3.us-east-1.amazonaws.com/{TEMPLATES}/api.json"
    put(StackName=STACK, TemplateURL=address, Capabilities=["CAPABILITY_IAM"])
    stack = wait_until(
        lambda: formation.describe_stacks(StackName=STACK)["Stacks"][0],
        lambda stack: not stack["StackStatus"].endswith("_IN_PROGRESS"),
    )
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


CAPTURED = f"capture/{ENDPOINT}/AllTraffic/"


def serve_a_model(cloud: Cloud, *, captures: bool = False) -> None:
    """The endpoint that the API names, with a model that counts brightness; its answers as captured lines."""
    s3, sagemaker = cloud.client("s3"), cloud.client("sagemaker")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=model_archive())
    role = make_role(cloud, name="endpoint", actions=["s3:GetObject", "s3:PutObject"])
    container = {"Image": INFERENCE_IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}
    sagemaker.create_model(ModelName="tiny", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": "tiny", "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    config: dict[str, Any] = {"EndpointConfigName": "tiny", "ProductionVariants": [variant]}
    if captures:  # as infra/serving/endpoint.py has it
        config["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "CaptureOptions": [{"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        }
    sagemaker.create_endpoint_config(**config)
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="tiny")
    assert settled_endpoint(cloud, ENDPOINT)["EndpointStatus"] == "InService"
