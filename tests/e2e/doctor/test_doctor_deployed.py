"""`make doctor` after a deploy, on the embedded cloud: what AWS made of it, as far as AWS reports it."""

import json
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role, wait_until

from infra.tools.doctor.finding import Finding
from tests.e2e.doctor.doctor_kit import Look
from tests.infra.conftest import as_it_stands
from tests.judges.aws_tasks import definitions_of
from tests.judges.resolved import ACCOUNT, resolve_stacks

pytestmark = pytest.mark.e2e

PIPELINE = "bincount-dev-pipeline"


def test_an_address_that_did_not_confirm_is_reported(cloud: Cloud, look: Look) -> None:
    sns, given = cloud.client("sns"), {"operations.email": "team@example.com"}
    assert look("alarms reach a person", **given)["alarms reach a person"].state == "ok"
    topic = sns.create_topic(Name="bincount-dev-alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="team@example.com")
    try:
        found = look("alarms reach a person", **given)["alarms reach a person"]
    finally:
        sns.delete_topic(TopicArn=topic)
    assert found.state == "missing"
    assert "open the mail" in found.next


def test_a_stack_whose_first_deploy_failed_is_to_be_deleted(cloud: Cloud, look: Look) -> None:
    formation, name = cloud.client("cloudformation"), "bincount-dev-data"
    taken = cloud.client("sns").create_topic(Name="taken")["TopicArn"]
    resources = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "taken"}}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    ended = wait_until(
        lambda: formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"],
        lambda status: not status.endswith("_IN_PROGRESS"),
    )
    try:
        found = look("stacks")["stacks"]
    finally:
        formation.delete_stack(StackName=name)
        cloud.client("sns").delete_topic(TopicArn=taken)
    assert (ended, found.state) == ("ROLLBACK_COMPLETE", "missing")
    assert found.next == f"aws cloudformation delete-stack --stack-name {name} --region us-east-1"


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """The pipeline of dev as its template has it."""
    parts = {name: {**template.to_json()} for name, template in as_it_stands("dev").items()}
    resolved = resolve_stacks(parts, region="us-east-1", partition="aws")
    found = definitions_of(resolved["training"].template).values()
    (pipeline,) = [each for each in found if "createHyperParameterTuningJob" in json.dumps(each)]
    return json.loads(json.dumps(pipeline).replace(ACCOUNT, "000000000000"))


def with_pipeline(
    cloud: Cloud, look: Look, definition: dict[str, Any], *, role: str, **changed: str
) -> Finding:
    """What the doctor says of the pipeline, with a text of its definition replaced by another."""
    text = json.dumps(definition)
    for old, new in changed.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    states = cloud.client("stepfunctions")
    made = states.create_state_machine(name=PIPELINE, definition=text, roleArn=role)["stateMachineArn"]
    try:
        return look("tuning-fields")["tuning-fields"]
    finally:
        states.delete_state_machine(stateMachineArn=made)


def named_by_cloudformation() -> str:
    """A name such as CloudFormation gives the pipeline's role: the documented iam:PassRole must cover it."""
    resources = as_it_stands("dev")["training"].to_json()["Resources"].values()
    (machine,) = [each for each in resources if each["Properties"].get("StateMachineName") == PIPELINE]
    return f"bincount-dev-training-{machine['Properties']['RoleArn']['Fn::GetAtt'][0]}-1A2B3C4D5E6F"


@pytest.fixture(scope="module")
def pipeline_role(cloud: Cloud) -> str:
    return make_role(cloud, name=named_by_cloudformation(), actions=["sagemaker:*", "iam:*"])


def test_the_tuning_job_is_read_whole_and_none_starts(
    cloud: Cloud, look: Look, definition: dict[str, Any], pipeline_role: str
) -> None:
    found = with_pipeline(cloud, look, definition, role=pipeline_role)
    assert found.state == "ok", found.text
    jobs = cloud.client("sagemaker").list_hyper_parameter_tuning_jobs()
    assert jobs["HyperParameterTuningJobSummaries"] == []


def test_a_value_that_sagemaker_rejects_is_reported(
    cloud: Cloud, look: Look, definition: dict[str, Any], pipeline_role: str
) -> None:
    found = with_pipeline(cloud, look, definition, role=pipeline_role, Bayesian="Bayes")
    assert found.state == "missing"
    assert "Bayes" in found.text


def test_a_role_that_may_not_start_the_job_is_reported(
    cloud: Cloud, look: Look, definition: dict[str, Any]
) -> None:
    role = make_role(cloud, name=f"{named_by_cloudformation()}X", actions=["s3:GetObject"])
    found = with_pipeline(cloud, look, definition, role=role)
    assert found.state == "missing"
    assert "role may not" in found.text
