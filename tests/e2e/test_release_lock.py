"""The release's lock and its decisions: the real state machine alone, without a deployment."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role, wait_until

from demo.cloud import BINCOUNT, INFERENCE_IMAGE
from infra.names import Names
from infra.serving.release.definition import release_definition
from infra.settings import Release
from tests.e2e.release_kit import reason
from tests.e2e.release_step_kit import step_function

pytestmark = pytest.mark.e2e

GROUP, PARAMETER, TABLE = "bincount-local", "/bincount/local/model", "releases"
SERVING = "bincount-local-serving"
FIRST = "s3://bins/1"
# As the Serving stack does, it reads the parameter at each update.
SERVING_TEMPLATE = {
    "Parameters": {
        "ApprovedModel": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": PARAMETER},
        "BootstrapVersion": {"Type": "String", "Default": "1"},
    },
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "ApprovedModel"}}}
    },
}


class Machine:
    """The state machine `bincount-local-release` with two approved packages; the second one serves."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._states = cloud.client("stepfunctions")
        cloud.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        self.first, self.second = (self._approved(model) for model in (FIRST, "s3://bins/2"))
        definition = release_definition(
            names=Names("local"),
            settings=Release(poll_seconds=1, timeout_minutes=6, settle_seconds=3),
            partition="aws",
            table=TABLE,
            step_function=step_function(cloud, table=TABLE, parameter=PARAMETER, stack=SERVING, stage=GROUP),
            smoke_function="none",
        )
        self._arn = self._states.create_state_machine(
            name="bincount-local-release",
            definition=json.dumps(definition),
            roleArn=make_role(cloud, name="release", actions=["*"]),
        )["stateMachineArn"]

    def _approved(self, model: str) -> str:
        specification = {
            "Containers": [{"Image": INFERENCE_IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        }
        # Only what the gate evaluated may change anything: the first one was.
        evaluated = {"ContentType": "application/json", "S3Uri": "s3://bins/verdict.json"}
        metrics = {"ModelMetrics": {"ModelQuality": {"Statistics": evaluated}}} if model == FIRST else {}
        return self.cloud.client("sagemaker").create_model_package(
            **metrics,
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            InferenceSpecification=specification,
        )["ModelPackageArn"]

    def serves(self, model: str) -> None:
        self.cloud.client("ssm").put_parameter(Name=PARAMETER, Value=model, Type="String", Overwrite=True)

    def served(self) -> str:
        return self.cloud.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]

    def deploy_serving(self) -> None:
        cloudformation = self.cloud.client("cloudformation")
        cloudformation.create_stack(StackName=SERVING, TemplateBody=json.dumps(SERVING_TEMPLATE))
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=SERVING, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def entered(self, execution: str) -> list[str]:
        """The states that an execution has entered, in order."""
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
        details = [event.get("stateEnteredEventDetails") for event in events]
        return [detail["name"] for detail in details if detail]

    def start(self, package: str) -> str:
        return self.start_with({"ModelPackageArn": package})

    def start_with(self, detail: dict[str, str]) -> str:
        return self._start({"detail": detail})

    def roll_back(self, package: str) -> str:
        return self._start({"rollback": {"model_package": package}})

    def _start(self, given: dict[str, Any]) -> str:
        started = self._states.start_execution(stateMachineArn=self._arn, input=json.dumps(given))
        return started["executionArn"]

    def package(self, arn: str) -> tuple[str, str]:
        """Its approval, and what is said of it."""
        found = self.cloud.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return found["ModelApprovalStatus"], found.get("ApprovalDescription", "")

    def approve(self, arn: str) -> None:
        self.cloud.client("sagemaker").update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="by a test"
        )

    def ended(self, execution: str) -> dict[str, Any]:
        return wait_until(
            lambda: self._states.describe_execution(executionArn=execution),
            lambda item: item["status"] != "RUNNING",
        )

    def hold(self, **members: str) -> None:
        item = {name: {"S": value} for name, value in {"id": "release", **members}.items()}
        self.cloud.client("dynamodb").put_item(TableName=TABLE, Item=item)

    def held(self) -> list[dict[str, str]]:
        items = self.cloud.client("dynamodb").scan(TableName=TABLE)["Items"]
        return [{name: value["S"] for name, value in item.items()} for item in items]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Cloud(data_dir=tmp_path_factory.mktemp("cloud"), project=BINCOUNT) as cloud:
        yield Machine(cloud)


@pytest.fixture(autouse=True)
def the_second_serves(machine: Machine) -> None:
    machine.serves("s3://bins/2")


def test_of_many_events_at_once_each_takes_its_turn_and_none_does_harm(machine: Machine) -> None:
    started = [
        machine.start(package) for package in (machine.second, machine.first, machine.second, machine.first)
    ]
    words = [reason(machine.ended(execution)) for execution in started]
    assert ["serves already" in text for text in words] == [True, False, True, False]
    assert ["not the newest approved" in text for text in words] == [False, True, False, True]
    assert machine.held() == []


def test_a_lock_whose_holder_is_gone_is_taken_over(machine: Machine) -> None:
    machine.hold(holder="arn:aws:states:us-east-1:000000000000:execution:bincount-local-release:gone")
    assert "serves already" in reason(machine.ended(machine.start(machine.second)))
    assert machine.held() == []


def test_a_package_that_the_gate_never_saw_is_not_released(machine: Machine) -> None:
    machine.serves("none")
    ended = machine.ended(machine.start(machine.second))
    assert (ended["status"], ended["error"]) == ("FAILED", "Unevaluated")
    assert machine.held() == []


def test_an_input_of_no_known_form_is_rejected(machine: Machine) -> None:
    ended = machine.ended(machine.start_with({}))
    assert (ended["status"], ended["error"]) == ("FAILED", "BadInput")


def test_a_package_that_is_not_there_leaves_the_lock_free(machine: Machine) -> None:
    ended = machine.ended(machine.roll_back(machine.first.replace("/1", "/99")))
    assert (ended["status"], ended["error"]) == ("FAILED", "NotRead")
    assert "nothing was changed" in ended["cause"]
    assert machine.held() == []


def test_a_rollback_to_what_serves_rejects_what_is_newer(machine: Machine) -> None:
    machine.serves("s3://bins/1")
    ended = machine.ended(machine.roll_back(machine.first))
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]) == {"model_package": machine.first, "model": "s3://bins/1"}
    name = ended["executionArn"].rpartition(":")[2]
    said = f"Rolled back to version 1 by the execution {name}"
    assert machine.package(machine.second) == ("Rejected", said)
    assert machine.package(machine.first)[0] == "Approved"
    assert machine.held() == []
    assert "serves already" in reason(machine.ended(machine.roll_back(machine.first)))
    machine.approve(machine.second)


def test_only_an_approved_package_is_rolled_back_to(machine: Machine) -> None:
    sagemaker = machine.cloud.client("sagemaker")
    sagemaker.update_model_package(ModelPackageArn=machine.first, ModelApprovalStatus="Rejected")
    said = reason(machine.ended(machine.roll_back(machine.first)))
    assert "is Rejected: nothing was changed. Approve it first" in said
    machine.approve(machine.first)
    assert machine.served() == "s3://bins/2"
    assert machine.package(machine.second)[0] == "Approved"


def test_a_rollback_that_ended_while_rejecting_is_finished(machine: Machine) -> None:
    """Its model serves: to put the newer one back would undo what a person asked for."""
    machine.serves("s3://bins/1")
    dead = machine.start_with({"executionArn": "another"})
    machine.ended(dead)
    journal = {"former": "s3://bins/1", "package": machine.first, "kind": "rolled back", "version": "1"}
    machine.hold(holder=dead, **journal)
    ended = machine.ended(machine.start_with({"executionArn": dead, "status": "ABORTED", "input": "{}"}))
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]) == {"model_package": machine.first, "model": "s3://bins/1"}
    assert machine.package(machine.second)[0] == "Rejected"
    assert machine.served() == "s3://bins/1"
    assert machine.held() == []
    machine.approve(machine.second)


def test_an_approval_that_was_taken_back_changes_nothing(machine: Machine) -> None:
    machine.cloud.client("sagemaker").update_model_package(
        ModelPackageArn=machine.second, ModelApprovalStatus="Rejected"
    )
    assert "is Rejected: nothing was changed" in reason(machine.ended(machine.start(machine.second)))


def test_what_cannot_be_put_back_is_said_and_stays_in_the_journal(machine: Machine) -> None:
    """There is no serving stack here, so that no restore can succeed."""
    dead = machine.start(machine.second)
    machine.ended(dead)
    machine.hold(holder=dead, former="s3://bins/1", package=machine.second)
    ended = machine.ended(machine.start_with({"executionArn": dead, "status": "ABORTED", "input": "{}"}))
    assert (ended["status"], ended["error"]) == ("FAILED", "NotRestored")
    assert "s3://bins/1 could NOT be put back" in ended["cause"]
    journal = {"former": "s3://bins/1", "package": machine.second, "holder": ended["executionArn"]}
    assert machine.held() == [{"id": "release", **journal}]


def test_the_end_of_a_restore_starts_no_second_one(machine: Machine) -> None:
    restore = json.dumps({"detail-type": "Step Functions Execution Status Change"})
    detail = {"executionArn": "any", "status": "FAILED", "input": restore}
    assert "followed by no second restore" in reason(machine.ended(machine.start_with(detail)))


def test_a_write_of_the_aborted_release_that_lands_late_is_put_back_too(machine: Machine) -> None:
    machine.serves("none")
    machine.deploy_serving()
    dead = machine.start_with({"executionArn": "another"})
    machine.ended(dead)
    machine.hold(holder=dead, former="none", package=machine.second)
    restore = machine.start_with({"executionArn": dead, "status": "ABORTED", "input": "{}"})
    wait_until(lambda: machine.entered(restore), lambda states: "WaitForLateWrites" in states)
    assert machine.served() == "none"
    machine.serves("s3://bins/2")  # what the aborted one had under way
    ended = machine.ended(restore)
    assert (ended["status"], ended["error"]) == ("FAILED", "ReleaseFailed")
    assert "no model serves again: the execution" in ended["cause"]
    assert machine.served() == "none"
    assert machine.entered(restore).count("RestorePreviousModel") == 2
    assert machine.held() == []


def test_a_rollback_that_failed_leaves_every_package_as_it_was(machine: Machine) -> None:
    """There is no endpoint here, so that no model is seen to serve. The serving stack is the last test's."""
    machine.serves("none")
    machine.approve(machine.second)
    ended = machine.ended(machine.roll_back(machine.first))
    assert (ended["status"], ended["error"]) == ("FAILED", "ReleaseFailed")
    assert f"The rollback to {machine.first} failed and no model serves again" in ended["cause"]
    assert machine.served() == "none"
    assert [machine.package(arn)[0] for arn in (machine.first, machine.second)] == ["Approved", "Approved"]
    assert machine.held() == []
