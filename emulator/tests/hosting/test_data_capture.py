"""Endpoints with data capture write what they were asked and answered as JSON lines."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import BUCKET, SERVER_IMAGE, make_configs, make_role, settled_endpoint

KEY = r"\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"
IMAGE = bytes(range(256))


@pytest.fixture(scope="module", autouse=True)
def model(cloud: Cloud, role: str) -> Iterator[None]:
    make_configs(cloud, role, {"one": SERVER_IMAGE})
    yield


def asked(cloud: Cloud, name: str, *, model: str = "one", **capture: Any) -> dict[str, Any]:
    """The endpoint, as described, after it answered two requests and refused one, and ended."""
    sagemaker = cloud.client("sagemaker")
    variant = {"VariantName": "AllTraffic", "ModelName": model, "InitialInstanceCount": 1}
    config = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}],
        DataCaptureConfig=config | capture,
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    described = settled_endpoint(cloud, name)
    runtime = cloud.client("sagemaker-runtime")
    runtime.invoke_endpoint(EndpointName=name, Body=IMAGE, ContentType="image/jpeg", InferenceId="a-1")
    runtime.invoke_endpoint(EndpointName=name, Body=b'{"a": 1}', ContentType="application/json; a=b")
    with pytest.raises(ClientError, match="ModelError"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"not an image")
    sagemaker.delete_endpoint(EndpointName=name)
    return described


def captured(cloud: Cloud, prefix: str) -> list[dict[str, Any]]:
    """All lines below the prefix, whose keys have the form that AWS gives them."""
    s3 = cloud.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
    assert all(re.fullmatch(re.escape(prefix) + KEY, key) for key in keys)
    bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_answered_requests_are_lines_in_the_guides_form(cloud: Cloud):
    described = asked(cloud, "full")
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    first, second = captured(cloud, "capture/full/AllTraffic/")
    given, answer = first["captureData"]["endpointInput"], first["captureData"]["endpointOutput"]
    assert given == {
        "observedContentType": "image/jpeg",
        "mode": "INPUT",
        "data": base64.b64encode(IMAGE).decode(),
        "encoding": "BASE64",
    }
    assert (answer["mode"], answer["encoding"]) == ("OUTPUT", "JSON")
    assert json.loads(answer["data"])["bytes"] == sum(IMAGE)
    assert first["eventVersion"] == "0"
    assert first["eventMetadata"]["inferenceId"] == "a-1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["eventMetadata"]["inferenceTime"])
    assert second["captureData"]["endpointInput"]["encoding"] == "JSON"
    assert "inferenceId" not in second["eventMetadata"]
    assert first["eventMetadata"]["eventId"] != second["eventMetadata"]["eventId"]


def test_only_the_wanted_side_is_written_and_text_only_where_listed(cloud: Cloud):
    options = [{"CaptureMode": "Output"}]
    asked(cloud, "output", CaptureOptions=options, CaptureContentTypeHeader={"CsvContentTypes": ["text/csv"]})
    for line in captured(cloud, "capture/output/AllTraffic/"):
        assert list(line["captureData"]) == ["endpointOutput"]
        assert line["captureData"]["endpointOutput"]["encoding"] == "BASE64"


def test_nothing_is_written_where_capture_is_off_or_samples_none(cloud: Cloud):
    assert asked(cloud, "off", EnableCapture=False)["DataCaptureConfig"]["CaptureStatus"] == "Stopped"
    asked(cloud, "none", InitialSamplingPercentage=0)
    assert captured(cloud, "capture/off/") == captured(cloud, "capture/none/") == []


def test_a_role_without_the_right_to_write_loses_lines_silently(cloud: Cloud):
    role = make_role(cloud, name="reads", actions=["s3:GetObject", "s3:ListBucket"])
    container = {"Image": SERVER_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/one.tar.gz"}
    cloud.client("sagemaker").create_model(
        ModelName="reads", ExecutionRoleArn=role, PrimaryContainer=container
    )
    asked(cloud, "reads", model="reads")
    assert captured(cloud, "capture/reads/") == []
