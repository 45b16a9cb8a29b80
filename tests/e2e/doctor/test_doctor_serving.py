"""`make doctor` where a model serves, on the embedded cloud: image, API, parameter, endpoint and capture."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role, settled_endpoint, wait_until

from demo.cloud import INFERENCE_IMAGE
from infra.api.rest_api import TLS_POLICY
from tests.e2e.doctor.doctor_kit import Look
from tests.e2e.tiny_model import model_archive

pytestmark = pytest.mark.e2e

STAGE, SERVING, PARAMETER = "bincount-dev", "bincount-dev-serving", "/bincount/dev/model"
REPOSITORY, TAG = INFERENCE_IMAGE.rpartition("/")[2].split(":")
MODEL = "s3://models/model.tar.gz"
ONE_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def template(role: str) -> dict[str, Any]:
    """Of the serving stack and the API, what the doctor looks at."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "InstanceType": "ml.c7i.large",
    }
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://models/capture",
        "CaptureOptions": [{"CaptureMode": "Output"}],
    }
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Api": (
            "ApiGateway::RestApi",
            {"Name": STAGE, "SecurityPolicy": TLS_POLICY, "EndpointAccessMode": "STRICT"},
        ),
        "Model": (
            "SageMaker::Model",
            {
                "ExecutionRoleArn": role,
                "PrimaryContainer": {"Image": INFERENCE_IMAGE, "ModelDataUrl": {"Ref": "ApprovedModel"}},
            },
        ),
        "Config": (
            "SageMaker::EndpointConfig",
            {"ProductionVariants": [variant], "DataCaptureConfig": capture},
        ),
        "Endpoint": (
            "SageMaker::Endpoint",
            {"EndpointName": STAGE, "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        ),
    }
    return {
        "Parameters": {"ApprovedModel": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": PARAMETER}},
        "Resources": {
            name: {"Type": f"AWS::{kind}", "Properties": properties}
            for name, (kind, properties) in resources.items()
        },
    }


@pytest.fixture(scope="module")
def cloud(cloud: Cloud) -> Cloud:
    """With an image, a model and a stack that serves it."""
    s3, formation = cloud.client("s3"), cloud.client("cloudformation")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=model_archive())
    cloud.client("ecr").create_repository(repositoryName=REPOSITORY)
    push(cloud, ONE_IMAGE)
    put(cloud, "/bincount/dev/image", INFERENCE_IMAGE)
    put(cloud, PARAMETER, MODEL)
    role = make_role(cloud, name="serving", actions=["s3:GetObject"])
    formation.create_stack(StackName=SERVING, TemplateBody=json.dumps(template(role)))
    ended = wait_until(
        lambda: formation.describe_stacks(StackName=SERVING)["Stacks"][0]["StackStatus"],
        lambda status: not status.endswith("_IN_PROGRESS"),
    )
    assert ended == "CREATE_COMPLETE"
    return cloud


def push(cloud: Cloud, kind: str) -> Callable[[], object]:
    """An image manifest under the serving image's tag; the call that takes it away."""
    ecr = cloud.client("ecr")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind})
    ecr.put_image(
        repositoryName=REPOSITORY, imageTag=TAG, imageManifest=manifest, imageManifestMediaType=kind
    )
    return lambda: ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": TAG}])


def put(cloud: Cloud, name: str, value: str) -> None:
    cloud.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


@contextmanager
def with_api(cloud: Cloud, **fields: str) -> Generator[None]:
    """The API with other TLS settings, as AWS reports them; an empty value is not reported."""
    gateway = cloud.client("apigateway")
    (api,) = [each["id"] for each in gateway.get_rest_apis()["items"] if each["name"] == STAGE]

    def patch(values: dict[str, str]) -> None:
        operations = [
            {"op": "replace" if value else "remove", "path": f"/{field}", "value": value}
            for field, value in values.items()
        ]
        gateway.update_rest_api(restApiId=api, patchOperations=operations)

    patch(fields)
    try:
        yield
    finally:
        patch({"securityPolicy": TLS_POLICY, "endpointAccessMode": "STRICT"})


def test_what_serves_as_the_settings_say_is_ok(look: Look) -> None:
    found = look()
    names = ("image-build", "endpoint-strict-mode", "typed-parameter", "endpoint", "capture")
    assert {name: found[name].state for name in names} == dict.fromkeys(names, "ok")


def test_an_image_that_was_deleted_is_missing(cloud: Cloud, look: Look) -> None:
    cloud.client("ecr").batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": TAG}])
    try:
        found = look("image-build")["image-build"]
    finally:
        push(cloud, ONE_IMAGE)
    assert found.state == "missing"
    assert INFERENCE_IMAGE in found.text
    assert found.next == f"npx cdk deploy {SERVING} -c stage=dev"


def test_an_index_of_images_is_missing(cloud: Cloud, look: Look) -> None:
    remove = push(cloud, INDEX)
    try:
        found = look("image-build")["image-build"]
    finally:
        remove()
        push(cloud, ONE_IMAGE)
    assert found.state == "missing"
    assert INDEX in found.text


@pytest.mark.parametrize("field", ["securityPolicy", "endpointAccessMode"])
def test_other_tls_settings_are_missing(cloud: Cloud, look: Look, field: str) -> None:
    other = {"securityPolicy": "TLS_1_2", "endpointAccessMode": "BASIC"}[field]
    with with_api(cloud, **{field: other}):
        found = look("endpoint-strict-mode")["endpoint-strict-mode"]
    assert found.state == "missing"
    assert other in found.text
    assert found.next == "npx cdk deploy bincount-dev-api -c stage=dev"


def test_tls_settings_that_aws_does_not_report_are_unknown(cloud: Cloud, look: Look) -> None:
    with with_api(cloud, securityPolicy="", endpointAccessMode=""):
        assert look("endpoint-strict-mode")["endpoint-strict-mode"].state == "unknown"


def test_a_model_that_the_stack_did_not_read_is_unknown(cloud: Cloud, look: Look) -> None:
    other = "s3://models/other.tar.gz"
    put(cloud, PARAMETER, other)
    try:
        found = look("typed-parameter")["typed-parameter"]
    finally:
        put(cloud, PARAMETER, MODEL)
    assert found.state == "unknown"
    assert other in found.text and MODEL in found.text


def test_captures_other_than_the_settings_are_missing(look: Look) -> None:
    found = look("endpoint", **{"capture.percent": 40})["capture"]
    assert found.state == "missing"
    assert "100 %" in found.text and "40 %" in found.text


def test_a_failed_endpoint_is_missing_with_its_reason(cloud: Cloud, look: Look) -> None:
    """It comes last: the endpoint stays as it is."""
    sagemaker = cloud.client("sagemaker")
    served = sagemaker.describe_endpoint(EndpointName=STAGE)["EndpointConfigName"]
    cloud.client("s3").delete_object(Bucket="models", Key="model.tar.gz")
    sagemaker.delete_endpoint(EndpointName=STAGE)
    sagemaker.create_endpoint(EndpointName=STAGE, EndpointConfigName=served)
    reason = settled_endpoint(cloud, STAGE)["FailureReason"]
    found = look("endpoint")["endpoint"]
    assert found.state == "missing"
    assert reason in found.text
