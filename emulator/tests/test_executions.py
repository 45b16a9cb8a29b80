"""Executions as AWS runs them: error names, redrives, time limits, and what is refused."""

import io
import json
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role, run_state, wait_until

CODE = """
import json, os, time
class NotReconciled(Exception):
    pass
def handler(event, context):
    if event.get("raise") == "NotReconciled":
        raise NotReconciled("two lists disagree")
    if event.get("raise") == "exit":
        os._exit(1)
    if event.get("raise") == "slow":
        time.sleep(30)
    return event
"""
ACTIONS = ["lambda:InvokeFunction", "states:*", "sagemaker:*", "ssm:*", "iam:PassRole", "events:*", "logs:*"]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("executions")
    with Cloud(data_dir=folder) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def role(cloud: Cloud) -> str:
    return make_role(cloud, name="states", actions=ACTIONS)


def make_function(cloud: Cloud, *, name: str, code: str, seconds: int = 20) -> str:
    """A Lambda function of one file, `code.py`; returns its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code_of_test.py", code)
    return cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=role["Role"]["Arn"],
        Handler="code_of_test.handler",
        Timeout=seconds,
        Code={"ZipFile": buffer.getvalue()},
    )["FunctionArn"]


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return make_function(cloud, name="worker", code=CODE, seconds=3)


def make_machine(cloud: Cloud, role: str, name: str, definition: dict[str, Any]) -> str:
    """A state machine; returns its ARN."""
    states = cloud.client("stepfunctions")
    answer = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    return answer["stateMachineArn"]


def ended(cloud: Cloud, arn: str) -> dict[str, Any]:
    """The execution's description once it runs no more."""
    return wait_until(
        lambda: cloud.client("stepfunctions").describe_execution(executionArn=arn),
        lambda execution: execution["status"] != "RUNNING",
    )


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The error's code."""
    return error.value.response["Error"]["Code"]


class TestErrorsOfFunctions:
    @pytest.mark.parametrize("optimised", [True, False])
    def test_the_class_raised_is_the_errors_name(
        self, cloud: Cloud, role: str, function: str, optimised: bool
    ):
        event = {"raise": "NotReconciled"}
        task: dict[str, Any] = {"Type": "Task", "Resource": function, "Parameters": event}
        if optimised:
            task["Resource"] = "arn:aws:states:::lambda:invoke"
            task["Parameters"] = {"FunctionName": function, "Payload": event}
        execution = run_state(cloud, role, task)
        assert (execution["status"], execution["error"]) == ("FAILED", "NotReconciled")
        cause = json.loads(execution["cause"])
        assert (cause["errorMessage"], cause["errorType"]) == ("two lists disagree", "NotReconciled")
        assert "raise NotReconciled" in "".join(cause["stackTrace"])
        assert "output" not in execution

    def test_retry_and_catch_by_that_name(self, cloud: Cloud, role: str, function: str):
        task = {
            "Type": "Task",
            "Resource": function,
            "Parameters": {"raise": "NotReconciled"},
            "Retry": [{"ErrorEquals": ["NotReconciled"], "IntervalSeconds": 1, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["NotReconciled"], "Next": "Caught"}],
            "End": True,
        }
        states = {"Try": task, "Caught": {"Type": "Pass", "End": True}}
        machine = make_machine(cloud, role, "caught", {"StartAt": "Try", "States": states})
        client = cloud.client("stepfunctions")
        arn = client.start_execution(stateMachineArn=machine)["executionArn"]
        assert json.loads(ended(cloud, arn)["output"])["Error"] == "NotReconciled"
        events = client.get_execution_history(executionArn=arn)["events"]
        assert [event["type"] for event in events].count("TaskFailed") == 2

    @pytest.mark.parametrize(
        ("event", "error"), [("slow", "Sandbox.Timedout"), ("exit", "Runtime.ExitError")]
    )
    def test_what_lambda_itself_reports(self, cloud: Cloud, role: str, function: str, event: str, error: str):
        task = {"Type": "Task", "Resource": function, "Parameters": {"raise": event}}
        assert run_state(cloud, role, task)["error"] == error

    def test_a_module_that_is_missing(self, cloud: Cloud, role: str):
        broken = make_function(cloud, name="broken", code="import no_such_module\n")
        execution = run_state(cloud, role, {"Type": "Task", "Resource": broken})
        assert execution["error"] == "Runtime.ImportModuleError"

    def test_a_throttled_function(self, cloud: Cloud, role: str, function: str):
        client = cloud.client("lambda")
        client.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
        try:
            execution = run_state(cloud, role, {"Type": "Task", "Resource": function})
        finally:
            client.delete_function_concurrency(FunctionName="worker")
        assert execution["error"] == "Lambda.TooManyRequestsException"

    def test_an_absent_function(self, cloud: Cloud, role: str):
        absent = "arn:aws:lambda:us-east-1:000000000000:function:nobody"
        execution = run_state(cloud, role, {"Type": "Task", "Resource": absent})
        assert execution["error"] == "Lambda.ResourceNotFoundException"


class TestRedrive:
    def test_a_redrive_goes_on_from_the_failed_state(self, cloud: Cloud, role: str, function: str):
        client, ssm = cloud.client("stepfunctions"), cloud.client("ssm")
        read = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
            "Arguments": {"Name": "/redriven"},
            "Output": "{% {'value': $states.result.Parameter.Value, 'first': $first, 'in': $states.input} %}",
            "End": True,
        }
        first = {
            "Type": "Task",
            "Resource": function,
            "Arguments": {"n": 1},
            "Assign": {"first": "{% $states.result.n %}"},
            "Next": "Read",
        }
        definition = {
            "QueryLanguage": "JSONata",
            "StartAt": "First",
            "States": {"First": first, "Read": read},
        }
        machine = make_machine(cloud, role, "redriven", definition)
        arn = client.start_execution(stateMachineArn=machine, input='{"given": 1}')["executionArn"]
        failed = ended(cloud, arn)
        assert failed["error"] == "Ssm.ParameterNotFoundException"
        assert (failed["redriveStatus"], failed["redriveCount"]) == ("REDRIVABLE", 0)
        ssm.put_parameter(Name="/redriven", Value="there now", Type="String")
        assert "redriveDate" in client.redrive_execution(executionArn=arn)
        redriven = ended(cloud, arn)
        assert redriven["status"] == "SUCCEEDED", redriven
        assert json.loads(redriven["output"]) == {"value": "there now", "first": 1, "in": {"n": 1}}
        assert (redriven["redriveStatus"], redriven["redriveCount"]) == ("NOT_REDRIVABLE", 1)
        events = client.get_execution_history(executionArn=arn)["events"]
        assert [event["type"] for event in events].count("ExecutionRedriven") == 1
        entered = [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]
        assert entered == ["First", "Read", "Read"]

    def test_what_cannot_be_redriven(self, cloud: Cloud, role: str):
        client = cloud.client("stepfunctions")
        execution = run_state(cloud, role, {"Type": "Pass"})
        with pytest.raises(ClientError) as fault:
            client.redrive_execution(executionArn=execution["executionArn"])
        assert code_of(fault) == "ExecutionNotRedrivable"
        with pytest.raises(ClientError) as fault:
            client.redrive_execution(executionArn=f"{execution['executionArn']}x")
        assert code_of(fault) == "ExecutionDoesNotExist"

    def test_a_machines_time_limit(self, cloud: Cloud, role: str):
        states = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
        machine = make_machine(
            cloud, role, "limited", {"StartAt": "Wait", "TimeoutSeconds": 1, "States": states}
        )
        arn = cloud.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
        execution = ended(cloud, arn)
        assert (execution["status"], execution["redriveStatus"]) == ("TIMED_OUT", "REDRIVABLE")


class TestErrors:
    def test_an_input_that_is_not_json(self, cloud: Cloud, role: str):
        machine = make_machine(
            cloud, role, "inputs", {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
        )
        with pytest.raises(ClientError) as fault:
            cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input="{")
        assert code_of(fault) == "InvalidExecutionInput"

    @pytest.mark.parametrize("name", ["with space", "a/b", "a:b", "a*"])
    def test_a_name_that_aws_does_not_take(self, cloud: Cloud, role: str, name: str):
        client = cloud.client("stepfunctions")
        definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
        machine = client.create_state_machine(name="names", definition=definition, roleArn=role)
        with pytest.raises(ClientError) as fault:
            client.start_execution(stateMachineArn=machine["stateMachineArn"], name=name)
        assert code_of(fault) == "InvalidName"
        with pytest.raises(ClientError) as fault:
            client.create_state_machine(name=name, definition=definition, roleArn=role)
        assert code_of(fault) == "InvalidName"

    def test_a_name_that_is_taken(self, cloud: Cloud, role: str):
        client = cloud.client("stepfunctions")
        states = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
        machine = make_machine(cloud, role, "taken", {"StartAt": "Wait", "States": states})
        request = {"stateMachineArn": machine, "name": "once", "input": "{}"}
        first = client.start_execution(**request)
        again = client.start_execution(**request)
        assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
        with pytest.raises(ClientError) as fault:
            client.start_execution(**{**request, "input": '{"other": 1}'})
        assert code_of(fault) == "ExecutionAlreadyExists"
        client.stop_execution(executionArn=first["executionArn"])
        with pytest.raises(ClientError) as fault:
            client.start_execution(**request)
        assert code_of(fault) == "ExecutionAlreadyExists"

    @pytest.mark.parametrize("operation", ["list_executions", "describe_state_machine", "start_execution"])
    def test_an_absent_machine(self, cloud: Cloud, operation: str):
        absent = "arn:aws:states:us-east-1:000000000000:stateMachine:nobody"
        with pytest.raises(ClientError) as fault:
            getattr(cloud.client("stepfunctions"), operation)(stateMachineArn=absent)
        assert code_of(fault) == "StateMachineDoesNotExist"

    def test_a_definition_with_a_way_to_no_state(self, cloud: Cloud, role: str):
        client = cloud.client("stepfunctions")
        wrong = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
        with pytest.raises(ClientError, match="MISSING_TRANSITION_TARGET") as fault:
            client.create_state_machine(name="wrong", definition=wrong, roleArn=role)
        assert code_of(fault) == "InvalidDefinition"
        right = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
        machine = make_machine(cloud, role, "right", right)
        with pytest.raises(ClientError) as fault:
            client.update_state_machine(stateMachineArn=machine, definition=wrong)
        assert code_of(fault) == "InvalidDefinition"
        answer = client.validate_state_machine_definition(definition=wrong)
        assert (answer["result"], answer["diagnostics"][0]["code"]) == ("FAIL", "MISSING_TRANSITION_TARGET")

    def test_a_stack_with_a_wrong_definition_fails(self, cloud: Cloud, role: str):
        machine = {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": role,
                "DefinitionString": '{"StartAt": "A", "States": {"A": {"Type": "Sleep", "End": true}}}',
            },
        }
        cloudformation = cloud.client("cloudformation")
        cloudformation.create_stack(
            StackName="wrong", TemplateBody=json.dumps({"Resources": {"Machine": machine}})
        )
        stack = wait_until(
            lambda: cloudformation.describe_stacks(StackName="wrong")["Stacks"][0],
            lambda stack: stack["StackStatus"].endswith(("FAILED", "COMPLETE")),
        )
        assert stack["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED")
        events = cloudformation.describe_stack_events(StackName="wrong")["StackEvents"]
        assert any("must be one of [Pass" in event.get("ResourceStatusReason", "") for event in events)


class TestMetricsOfExecutions:
    def test_an_error_of_a_function_is_counted(self, cloud: Cloud, role: str):
        code = "def handler(event, context):\n    raise ValueError('no')\n"
        arn = make_function(cloud, name="counted", code=code)
        run_state(cloud, role, {"Type": "Task", "Resource": arn})
        now = datetime.now(UTC)
        answer = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": "counted"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum", "SampleCount"],
        )
        assert [(point["Sum"], point["SampleCount"]) for point in answer["Datapoints"]] == [(1, 1)]

    @pytest.mark.parametrize(
        ("state", "metric"),
        [
            ({"Type": "Pass", "End": True}, "ExecutionsSucceeded"),
            ({"Type": "Fail", "Error": "Bad", "Cause": "so"}, "ExecutionsFailed"),
        ],
    )
    def test_each_end_is_counted(self, cloud: Cloud, role: str, state: dict[str, Any], metric: str):
        definition = {"StartAt": "A", "States": {"A": state}}
        machine = make_machine(cloud, role, f"counted-{metric}", definition)
        arn = cloud.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
        ended(cloud, arn)
        dimensions = [{"Name": "StateMachineArn", "Value": machine}]
        metrics = cloud.client("cloudwatch").list_metrics(Namespace="AWS/States", Dimensions=dimensions)
        assert metric in [found["MetricName"] for found in metrics["Metrics"]]
