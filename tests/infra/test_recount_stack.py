"""The recount's stack: what its state machine runs, and that its roles may do no more."""

import json
import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.settings import STAGES, SettingsError, load
from tests.infra.conftest import context, synthesize
from tests.infra.machines import Templates, job_request, main_path, states_of


def statements(template: Template) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy").values()
    return [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize("stage", STAGES)
def test_a_recount_goes_from_the_approved_model_to_the_summary(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "recount")
    assert main_path(states, "Name", IsAnyToCount="CreateModel") == [
        "Name", "ReadModel", "IsApproved", "ReadImage", "Plan", "IsAnyToCount", "CreateModel", "Transform",
        "DeleteModel", "Join", "Summarize", "IsAnyAnswered", "Recounted",
    ]  # fmt: skip
    assert states["Transform"]["Catch"][0]["Next"] == "DeleteModelOfFailure"


@pytest.mark.parametrize("stage", STAGES)
def test_the_transform_job_stays_within_sagemaker_s_limits(templates: Templates, stage: str) -> None:
    states = states_of(templates, stage, "recount")
    job = job_request(states["Transform"])
    assert job["MaxConcurrentTransforms"] * job["MaxPayloadInMB"] <= 100
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] == "ManifestFile"
    named = f"bincount-{stage}-recount-" + 16 * "0"
    assert f"'bincount-{stage}-recount-'" in states["Name"]["Output"] and len(named) <= 63


@pytest.mark.parametrize("stage", STAGES)
def test_no_state_loses_its_input(templates: Templates, stage: str) -> None:
    """A task without Output puts its result in the input's place."""
    states = states_of(templates, stage, "recount")
    tasks = {name: state for name, state in states.items() if state["Type"] in ("Task", "Map")}
    assert [name for name, state in tasks.items() if "$states.input" not in state["Output"]] == []


@pytest.mark.parametrize("stage", STAGES)
def test_its_roles_write_nothing_but_recounts(templates: Templates, stage: str) -> None:
    writing = re.compile(r"s3:(Put|Delete|Abort)")
    for each in statements(templates[stage]["recount"]):
        actions = [each["Action"]] if isinstance(each["Action"], str) else each["Action"]
        if any(writing.match(action) for action in actions):
            resources = each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]
            keys = [json.dumps(resource) for resource in resources]
            assert all("/recounts/" in key or key.count("GetAtt") + key.count("ImportValue") for key in keys)
            assert any("/recounts/" in key for key in keys)


@pytest.mark.parametrize("stage", STAGES)
def test_every_star_belongs_to_an_action_without_resources(templates: Templates, stage: str) -> None:
    known = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}
    looks = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
    known |= {f"ec2:Describe{what}" for what in looks}
    for each in statements(templates[stage]["recount"]):
        if each["Resource"] == "*":
            actions = {each["Action"]} if isinstance(each["Action"], str) else set(each["Action"])
            assert actions <= known or all(action.startswith(("logs:", "xray:")) for action in actions), (
                actions
            )


def test_further_buckets_may_be_read_and_not_written() -> None:
    recount = synthesize("dev", **{"recount.buckets": '["photos-of-bins"]'})["recount"]
    found = [each for each in statements(recount) if "photos-of-bins" in json.dumps(each["Resource"])]
    assert [each["Action"] for each in found] == [["s3:GetObject", "s3:ListBucket"]] * 2


def test_more_images_in_flight_than_sagemaker_takes_are_rejected() -> None:
    with pytest.raises(SettingsError, match="max_concurrent_transforms = 17: .*16"):
        load(context(stage="dev", **{"recount.max_concurrent_transforms": 17}).get)
