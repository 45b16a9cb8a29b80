"""The release machine where the answer of a write is lost: the write is done, and then done again."""

import io
import itertools
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.names import Names
from infra.release_definition import release_definition
from infra.settings import Release
from tests.e2e.embedded_cloud_kit import (
    BUCKET,
    SERVER_IMAGE,
    fill_bucket,
    make_role,
    served_weight,
    server_command,
    wait_until,
)
from tests.e2e.losing_cloud import LosingCloud, done, lost
from tests.infra.machines import every_state

pytestmark = pytest.mark.e2e

STAGE, PARAMETER, TABLE, SMOKE = "bincount-local", "/bincount/local/model", "releases", "smoke"
SERVING = f"{STAGE}-serving"
MODELS = {1: f"s3://{BUCKET}/models/one.tar.gz", 2: f"s3://{BUCKET}/models/two.tar.gz"}
"""By what the toy server answers."""
# A verdict's address says what the smoke test will find.
SMOKE_TEST = (
    "def handler(event, context):\n"
    "    return {'passed': 'bad' not in event['verdict'], 'reason': 'read one bin wrongly'}\n"
)


def release_machine() -> dict[str, Any]:
    """The product's, whose retries come after a second at most: a test waits for them."""
    definition = release_definition(
        names=Names("local"),
        settings=Release(approval="manual", poll_seconds=1, timeout_minutes=6, settle_seconds=1),
        partition="aws",
        table=TABLE,
        smoke_function=SMOKE,
    )
    for _, state in every_state(definition):
        for retry in state.get("Retry", []):
            retry |= {"IntervalSeconds": 1, "BackoffRate": 1} if retry["MaxAttempts"] else {}
    return definition


DEFINITION = release_machine()
READS = ("get", "list", "describe", "invoke")
WRITES = {
    name: state
    for name, state in every_state(DEFINITION)
    if state["Type"] == "Task" and not state["Resource"].split(":")[-1].startswith(READS)
}
CASES = [
    (name, fault)
    for name, state in WRITES.items()
    # Where any fault is tried again one stands for all; else what the state makes of each counts.
    for fault in ["connection", *(["server"] if "States.TaskFailed" not in str(state["Retry"]) else [])]
]


def serving_template(role: str) -> dict[str, Any]:
    """As the Serving stack does, it reads the parameter at each update."""
    container = {"Image": SERVER_IMAGE, "ModelDataUrl": {"Ref": "ApprovedModel"}}
    variant = {
        "VariantName": "champion",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        "InstanceType": "ml.m5.large",
    }
    config = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    resources = {
        "Model": ("Model", {"ExecutionRoleArn": role, "PrimaryContainer": container}),
        "Config": ("EndpointConfig", {"ProductionVariants": [variant]}),
        "Endpoint": ("Endpoint", {"EndpointName": STAGE, "EndpointConfigName": config}),
    }
    return {
        "Parameters": {
            "ApprovedModel": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": PARAMETER},
            "BootstrapVersion": {"Type": "String", "Default": "1"},
        },
        "Resources": {
            name: {"Type": f"AWS::SageMaker::{kind}", "Properties": properties}
            for name, (kind, properties) in resources.items()
        },
    }


class Stage:
    """The machine, a serving stack with its endpoint, and a registry."""

    def __init__(self, cloud: LosingCloud) -> None:
        self.cloud = cloud
        self.role = make_role(cloud, name="all", actions=["*"])
        self.sagemaker, self.states = cloud.client("sagemaker"), cloud.client("stepfunctions")
        self._numbers = itertools.count(1)
        self.sagemaker.create_model_package_group(ModelPackageGroupName=STAGE)
        cloud.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self._make_smoke_test()
        self.approve(MODELS[1])
        self._deploy()
        self._machine = self.states.create_state_machine(
            name=f"{STAGE}-release", definition=json.dumps(DEFINITION), roleArn=self.role
        )["stateMachineArn"]

    def _make_smoke_test(self) -> None:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.cloud.client("iam").create_role(RoleName=SMOKE, AssumeRolePolicyDocument=document)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("smoke.py", SMOKE_TEST)
        self.cloud.client("lambda").create_function(
            FunctionName=SMOKE,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=role["Role"]["Arn"],
            Handler="smoke.handler",
            Code={"ZipFile": buffer.getvalue()},
        )

    def _deploy(self) -> None:
        cloudformation = self.cloud.client("cloudformation")
        body = json.dumps(serving_template(self.role))
        cloudformation.create_stack(StackName=SERVING, TemplateBody=body)
        wait_until(self.stack, lambda status: status == "CREATE_COMPLETE")

    def stack(self) -> str:
        stacks = self.cloud.client("cloudformation").describe_stacks(StackName=SERVING)["Stacks"]
        return stacks[0]["StackStatus"]

    def approve(self, model: str) -> None:
        """What the parameter says, ahead of any stack."""
        self.cloud.client("ssm").put_parameter(Name=PARAMETER, Value=model, Type="String", Overwrite=True)

    @property
    def approved(self) -> str:
        return self.cloud.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]

    @property
    def other(self) -> str:
        """The model that does not serve."""
        return next(model for model in MODELS.values() if model != self.approved)

    def package(self, model: str, *, verdict: str = "good", approval: str = "Approved") -> str:
        """The registry's next version; `verdict` "" is a package that the gate never saw."""
        judged = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{verdict}/verdict.json"}
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=STAGE,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": SERVER_IMAGE, "ModelDataUrl": model}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            **({"ModelMetrics": {"ModelQuality": {"Statistics": judged}}} if verdict else {}),
        )["ModelPackageArn"]

    def approvals(self) -> list[str]:
        """Of all packages, oldest first."""
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=STAGE, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [row["ModelApprovalStatus"] for page in pages for row in page["ModelPackageSummaryList"]]

    def held(self) -> list[dict[str, Any]]:
        return self.cloud.client("dynamodb").scan(TableName=TABLE)["Items"]

    def hold(self, **members: str) -> None:
        item = {name: {"S": value} for name, value in {"id": "release", **members}.items()}
        self.cloud.client("dynamodb").put_item(TableName=TABLE, Item=item)

    def name(self, *, lose: str = "") -> str:
        """A free name; `lose` is `<State>-<fault>`."""
        return f"{f'lose-{lose}' if lose else 'plain'}-{next(self._numbers)}"

    def run(self, given: dict[str, Any], name: str) -> dict[str, Any]:
        """An execution's description at its end."""
        arn = self.states.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(given))
        return wait_until(
            lambda: self.states.describe_execution(executionArn=arn["executionArn"]),
            lambda execution: execution["status"] != "RUNNING",
        )

    def entered(self, execution: dict[str, Any]) -> list[str]:
        """The states that it has entered, in order."""
        pages = self.states.get_paginator("get_execution_history").paginate(
            executionArn=execution["executionArn"]
        )
        details = [event.get("stateEnteredEventDetails") for page in pages for event in page["events"]]
        return [detail["name"] for detail in details if detail]

    def did(self, name: str) -> set[str]:
        """The states whose tasks an execution has done, those within maps too."""
        lines = self.cloud.log_file.read_text().splitlines()
        return {line.removeprefix(done(name)) for line in lines if line.startswith(done(name))}

    def dead(self) -> str:
        """The ARN of an execution that has ended."""
        return self.run({"detail": {"executionArn": "nobody"}}, self.name())["executionArn"]


Given = dict[str, Any]
SCENARIOS: dict[str, Callable[[Stage], Given]] = {}
"""What is done ahead of an execution, by its name; it gives the execution's input. Cheap ones first."""


def scenario(prepare: Callable[[Stage], Given]) -> Callable[[Stage], Given]:
    SCENARIOS[prepare.__name__] = prepare
    return prepare


def approval(package: str) -> Given:
    return {"detail": {"ModelPackageArn": package}}


def bad_end(execution: str) -> Given:
    return {"detail": {"executionArn": execution, "status": "ABORTED", "input": "{}"}}


@scenario
def it_serves_already(stage: Stage) -> Given:
    return approval(stage.package(stage.approved))


@scenario
def the_approval_was_taken_back(stage: Stage) -> Given:
    return approval(stage.package(stage.other, approval="Rejected"))


@scenario
def a_newer_one_is_approved(stage: Stage) -> Given:
    older = stage.package(stage.other)
    stage.package(stage.approved)
    return approval(older)


@scenario
def the_gate_never_saw_it(stage: Stage) -> Given:
    return approval(stage.package(stage.other, verdict=""))


@scenario
def the_package_is_gone(stage: Stage) -> Given:
    package = stage.package(stage.other)
    stage.sagemaker.delete_model_package(ModelPackageName=package)
    return approval(package)


@scenario
def a_rollback_to_what_serves(stage: Stage) -> Given:
    wanted = stage.package(stage.approved)
    for _ in range(2):
        stage.package(stage.other)
    return {"rollback": {"model_package": wanted}}


@scenario
def an_aborted_release_is_put_back(stage: Stage) -> Given:
    package, former, dead = stage.package(stage.other), stage.approved, stage.dead()
    stage.hold(holder=dead, former=former, package=package, kind="release", version="1")
    stage.approve(stage.other)
    return bad_end(dead)


@scenario
def an_aborted_one_had_changed_nothing(stage: Stage) -> Given:
    dead = stage.dead()
    stage.hold(holder=dead)
    return bad_end(dead)


@scenario
def it_is_released(stage: Stage) -> Given:
    return approval(stage.package(stage.other))


@scenario
def it_fails_its_smoke_test(stage: Stage) -> Given:
    return approval(stage.package(stage.other, verdict="bad"))


Outcome = tuple[str, bool, list[str]]


def outcome(stage: Stage, name: str, execution: str) -> Outcome:
    """How a scenario ends: last state, whether another model serves, what became of its packages.

    Whatever happened: nothing is held, the stack is at rest, and what serves is what the
    parameter says.
    """
    served, packages = stage.approved, len(stage.approvals())
    ended = stage.run(SCENARIOS[name](stage), execution)
    assert stage.held() == [], ended
    assert stage.stack() in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert MODELS[served_weight(stage.cloud, STAGE)] == stage.approved, ended
    return stage.entered(ended)[-1], stage.approved != served, stage.approvals()[packages:]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("losing")
    with LosingCloud(data_dir=folder, server_command=server_command(folder)) as cloud:
        fill_bucket(cloud)
        yield Stage(cloud)


@pytest.fixture(scope="module")
def undisturbed(stage: Stage) -> dict[str, tuple[Outcome, set[str]]]:
    """Every scenario without a fault: its end, and the states whose tasks were done on the way."""
    found: dict[str, tuple[Outcome, set[str]]] = {}
    for name in SCENARIOS:
        execution = stage.name()
        found[name] = outcome(stage, name, execution), stage.did(execution)
    return found


def test_a_scenario_reaches_every_write(undisturbed: dict[str, tuple[Outcome, set[str]]]) -> None:
    reached = {state for _, states in undisturbed.values() for state in states}
    assert WRITES.keys() - reached == set()


@pytest.mark.parametrize(("state", "fault"), CASES)
def test_a_write_whose_answer_is_lost_changes_no_end(
    stage: Stage, undisturbed: dict[str, tuple[Outcome, set[str]]], state: str, fault: str
) -> None:
    name = next(name for name, (_, states) in undisturbed.items() if state in states)
    execution = stage.name(lose=f"{state}-{fault}")
    found = outcome(stage, name, execution)
    assert lost(execution) in stage.cloud.log_file.read_text()
    print(f"{state:16} {fault:10} {name:36} {found}")
    assert found == undisturbed[name][0]
