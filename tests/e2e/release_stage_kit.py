"""A release machine with a serving stack, an endpoint and a registry, and what happens to it: scenarios."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from embedded_cloud.testing import BUCKET, SERVER_IMAGE, make_role, served_weight, wait_until

from infra.names import Names
from infra.serving.release.definition import release_definition
from infra.settings import Release
from tests.e2e.losing_cloud import LosingCloud, done
from tests.e2e.release_step_kit import STEP, python_function, step_function
from tests.infra.machines import every_state

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
    """The product's, which waits as briefly as can be: for retries, for a dead holder of the lock."""
    definition = release_definition(
        names=Names("local"),
        settings=Release(approval="manual", poll_seconds=1, timeout_minutes=6, settle_seconds=1),
        partition="aws",
        table=TABLE,
        step_function=STEP,
        smoke_function=SMOKE,
    )
    definition["States"]["CheckLock"]["Arguments"]["Payload"]["patience_seconds"] = 0
    for _, state in every_state(definition):
        state |= {"Seconds": 0} if state["Type"] == "Wait" else {}
        for retry in state.get("Retry", []):
            retry |= {"IntervalSeconds": 1, "BackoffRate": 1} if retry["MaxAttempts"] else {}
    return definition


DEFINITION = release_machine()


def serving_template(role: str) -> dict[str, Any]:
    """As the Serving stack does, it reads the parameter at each update."""
    container = {"Image": SERVER_IMAGE, "ModelDataUrl": {"Ref": "ApprovedModel"}}
    variant = {
        "VariantName": "AllTraffic",
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
        self._make_functions()
        self.approve(MODELS[1])
        self._deploy()
        self._machine = self.states.create_state_machine(
            name=f"{STAGE}-release", definition=json.dumps(DEFINITION), roleArn=self.role
        )["stateMachineArn"]

    def _make_functions(self) -> None:
        python_function(self.cloud, name=SMOKE, files={"smoke.py": SMOKE_TEST}, actions=[])
        step_function(self.cloud, table=TABLE, parameter=PARAMETER, stack=SERVING, stage=STAGE)

    def _deploy(self) -> None:
        cloudformation = self.cloud.client("cloudformation")
        body = json.dumps(serving_template(self.role))
        cloudformation.create_stack(StackName=SERVING, TemplateBody=body)
        wait_until(self.stack, lambda status: status == "CREATE_COMPLETE")

    def stack(self) -> str:
        """The serving stack's status."""
        stacks = self.cloud.client("cloudformation").describe_stacks(StackName=SERVING)["Stacks"]
        return stacks[0]["StackStatus"]

    def approve(self, model: str) -> None:
        """What the parameter says, ahead of any stack."""
        self.cloud.client("ssm").put_parameter(Name=PARAMETER, Value=model, Type="String", Overwrite=True)

    @property
    def approved(self) -> str:
        """The model that the parameter names."""
        return self.cloud.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]

    @property
    def other(self) -> str:
        """The model that does not serve."""
        return next(model for model in MODELS.values() if model != self.approved)

    def package(self, model: str, *, verdict: str = "good", approval: str = "Approved") -> str:
        """The registry's next version; `verdict` "" is a package that the gate never saw."""
        evaluated = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{verdict}/verdict.json"}
        return self.sagemaker.create_model_package(
            ModelPackageGroupName=STAGE,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": SERVER_IMAGE, "ModelDataUrl": model}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            **({"ModelMetrics": {"ModelQuality": {"Statistics": evaluated}}} if verdict else {}),
        )["ModelPackageArn"]

    def approvals(self) -> list[str]:
        """Of all packages, oldest first."""
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=STAGE, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [row["ModelApprovalStatus"] for page in pages for row in page["ModelPackageSummaryList"]]

    def held(self) -> list[dict[str, Any]]:
        """The lock's item, or nothing."""
        return self.cloud.client("dynamodb").scan(TableName=TABLE)["Items"]

    def hold(self, **members: str) -> None:
        """Write the lock's item."""
        item = {name: {"S": value} for name, value in {"id": "release", **members}.items()}
        self.cloud.client("dynamodb").put_item(TableName=TABLE, Item=item)

    def name(self, *, lose: str = "", kill: str = "") -> str:
        """A free name; `lose` is `<State>-<fault>`, `kill` `<State>-<before|after>`."""
        kind = f"lose-{lose}" if lose else f"kill-{kill}" if kill else "plain"
        return f"{kind}-{next(self._numbers)}"

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

    def entered_by(self, name: str) -> list[str]:
        """The same, by the execution's name."""
        arn = self._machine.replace(":stateMachine:", ":execution:") + f":{name}"
        return self.entered({"executionArn": arn})

    def did(self, name: str) -> set[str]:
        """The states whose tasks an execution has done: AWS took what they asked."""
        lines = self.cloud.log_file.read_text().splitlines()
        return {line.removeprefix(done(name)) for line in lines if line.startswith(done(name))}

    def is_at_rest(self) -> str:
        """The model that serves: nothing is held, the stack is at rest, and endpoint and parameter agree."""
        assert self.held() == []
        assert self.stack() in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        assert MODELS[served_weight(self.cloud, STAGE)] == self.approved
        return self.approved

    def other_than_the_former(self) -> str:
        """The model that does not serve once what the journal says is put back."""
        former = [item["former"]["S"] for item in self.held() if "former" in item]
        return next(model for model in MODELS.values() if model != (former or [self.approved])[0])

    def model_of(self, package: str) -> str:
        """The model of a package."""
        found = self.sagemaker.describe_model_package(ModelPackageName=package)
        return found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]

    def alive(self, *, seconds: int) -> str:
        """The ARN of an execution that ends by itself so much later."""
        pause = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": seconds, "End": True}}}
        machine = self.states.create_state_machine(
            name=self.name(), definition=json.dumps(pause), roleArn=self.role
        )
        return self.states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def dead(self) -> str:
        """The ARN of an execution that has ended."""
        return self.run({"detail": {"executionArn": "nobody"}}, self.name())["executionArn"]


Given = dict[str, Any]
SCENARIOS: dict[str, Callable[[Stage], Given]] = {}
"""What is done ahead of an execution, by its name; it gives the execution's input. Cheap ones first."""


def scenario(prepare: Callable[[Stage], Given]) -> Callable[[Stage], Given]:
    """Marks what happens to a stage before or at a release."""
    SCENARIOS[prepare.__name__] = prepare
    return prepare


def approval(package: str) -> Given:
    """The event that the registry sends."""
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
def another_holds_the_lock(stage: Stage) -> Given:
    stage.hold(holder=stage.alive(seconds=3))
    return approval(stage.package(stage.approved))


@scenario
def it_is_released(stage: Stage) -> Given:
    return approval(stage.package(stage.other))


@scenario
def it_fails_its_smoke_test(stage: Stage) -> Given:
    return approval(stage.package(stage.other, verdict="bad"))


@scenario
def it_is_rolled_back(stage: Stage) -> Given:
    wanted = stage.package(stage.other)
    stage.package(stage.approved)
    return {"rollback": {"model_package": wanted}}


Outcome = tuple[str, bool, list[str]]


def outcome(stage: Stage, name: str, execution: str) -> Outcome:
    """How a scenario ends: last state, whether another model serves, what became of its packages.

    Whatever happened: nothing is held, the stack is at rest, and what serves is what the
    parameter says.
    """
    served, packages = stage.approved, len(stage.approvals())
    ended = stage.run(SCENARIOS[name](stage), execution)
    now = stage.is_at_rest()
    return stage.entered(ended)[-1], now != served, stage.approvals()[packages:]
