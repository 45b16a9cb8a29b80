"""Images of answers: kept by setting alone, by a function that may touch nothing else, and not for long."""

import functools
import json
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from infra.settings import SettingsError, load
from tests.infra.conftest import as_it_stands, context, synthesize


@functools.cache
def parts() -> dict[str, Template]:
    """The stage dev with images."""
    return synthesize(
        "dev", **{"capture.inputs": True, "capture.sampled_share": 0.1, "storage.images_days": 9}
    )


def resources(template: Template, kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template.find_resources(kind).items()}


def test_without_the_setting_nothing_keeps_images() -> None:
    stacks = as_it_stands("dev")
    functions = resources(stacks["data"], "AWS::Lambda::Function").values()
    assert "monitoring.images.handler.handler" not in [each.get("Handler") for each in functions]
    alarms = resources(stacks["operations"], "AWS::CloudWatch::Alarm").values()
    assert "bincount-dev-images-undelivered" not in [each["AlarmName"] for each in alarms]


def test_every_captured_file_reaches_the_function_or_its_queue() -> None:
    data = parts()["data"]
    (rule,) = [
        r for r in resources(data, "AWS::Events::Rule").values() if r["EventPattern"]["source"] == ["aws.s3"]
    ]
    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"prefix": "capture/"}]}
    assert rule["Targets"][0]["DeadLetterConfig"]
    data.has_resource_properties("AWS::S3::Bucket", {"NotificationConfiguration": Match.any_value()})
    data.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig",
        {"MaximumRetryAttempts": 2, "DestinationConfig": {"OnFailure": Match.any_value()}},
    )
    alarms = resources(parts()["operations"], "AWS::CloudWatch::Alarm").values()
    assert "bincount-dev-images-undelivered" in [each["AlarmName"] for each in alarms]


def test_the_function_writes_captured_files_and_images_and_deletes_none() -> None:
    policies = resources(parts()["data"], "AWS::IAM::Policy").values()
    (policy,) = [p for p in policies if p["Roles"][0]["Ref"].startswith("ImagesFunctionRole")]
    written: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [a for a in actions if "Delete" in a or "*" in a]
        if "s3:PutObject" in actions:
            written |= {
                f"{p}/" for p in ("capture", "images", "labels") if f"/{p}/*" in json.dumps(statement)
            }
    assert written == {"capture/", "images/"}


def test_images_and_what_captured_files_were_expire() -> None:
    (bucket,) = [
        each
        for each in resources(parts()["data"], "AWS::S3::Bucket").values()
        if "LoggingConfiguration" in each
    ]
    rules = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["images/"]["ExpirationInDays"] == 9
    for prefix in ("images/", "capture/"):
        assert rules[prefix]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_range_is_a_fault(share: float) -> None:
    with pytest.raises(SettingsError, match="capture.sampled_share"):
        load(context(stage="dev", **{"capture.sampled_share": share}).get)


def test_data_preparation_reads_images_where_they_are_kept() -> None:
    for template, expected in ((as_it_stands("dev")["data"], False), (parts()["data"], True)):
        policies = resources(template, "AWS::IAM::Policy").values()
        (policy,) = [p for p in policies if p["Roles"][0]["Ref"].startswith("DataPrepRole")]
        assert ("/images/*" in json.dumps(policy["PolicyDocument"])) is expected
