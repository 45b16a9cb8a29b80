"""Whatever can fail while nobody looks rings: state machines, Lambdas, rules, schedules, queues."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.combinations import COMBINATIONS, synthesized

Resource = dict[str, Any]


def resources(combination: str, kind: str) -> Iterator[tuple[str, Resource]]:
    for template in synthesized(combination).values():
        yield from template.find_resources(kind).items()


def alarms(combination: str) -> list[Resource]:
    return [alarm["Properties"] for _, alarm in resources(combination, "AWS::CloudWatch::Alarm")]


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_bad_end_of_every_state_machine_rings(combination: str) -> None:
    watched = {
        (alarm["MetricName"], json.dumps(alarm["Dimensions"]).split(":stateMachine:")[1].split('"')[0])
        for alarm in alarms(combination)
        if alarm.get("Namespace") == "AWS/States"
    }
    machines = [m["Properties"]["StateMachineName"] for _, m in resources(combination, _MACHINE)]
    assert len(machines) == (6 if any(m.endswith("-drift") for m in machines) else 5)
    ends = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    assert watched == {(end, machine) for machine in machines for end in ends}


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_lambda_fails_where_somebody_is_notified(combination: str) -> None:
    """With a state machine, by its alarms; with a deployment, at once. Called by neither, it has an alarm: on
    its errors, on the queue of what it could not do, or on the 5xx answers of its paths of the API."""
    for template in synthesized(combination).values():
        found = template.to_json()["Resources"]
        definitions = json.dumps([r for r in found.values() if r["Type"] == _MACHINE])
        tokens = [
            json.dumps(r["Properties"].get("ServiceToken")) for r in found.values() if "Properties" in r
        ]
        others = [json.dumps(each.to_json()["Resources"]) for each in synthesized(combination).values()]
        exported = [e["Value"] for e in template.to_json().get("Outputs", {}).values() if "Export" in e]
        for name, resource in found.items():
            if resource["Type"] != "AWS::Lambda::Function":
                continue
            called = name in definitions or any(name in token for token in tokens)
            called = called or (name in json.dumps(exported) and any(_exports(name) in o for o in others))
            called = called or _has_a_watched_queue(name, found, combination)
            called = called or _has_watched_errors(resource, combination)
            assert called or _has_watched_paths(name, found, combination), name


def _has_watched_errors(function: Resource, combination: str) -> bool:
    wanted = [{"Name": "FunctionName", "Value": function["Properties"].get("FunctionName")}]
    return any(a["MetricName"] == "Errors" and a["Dimensions"] == wanted for a in alarms(combination))


def _has_a_watched_queue(name: str, found: dict[str, Resource], combination: str) -> bool:
    watched = [
        each["Dimensions"][0]["Value"] for each in alarms(combination) if each.get("Namespace") == "AWS/SQS"
    ]
    for each in found.values():
        if each["Type"] == "AWS::Lambda::EventInvokeConfig" and name in json.dumps(each["Properties"]):
            queue = each["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
            return found[queue]["Properties"]["QueueName"] in watched
    return False


def _has_watched_paths(name: str, found: dict[str, Resource], combination: str) -> bool:
    methods = [each["Properties"] for each in found.values() if each["Type"] == "AWS::ApiGateway::Method"]
    own = [each for each in methods if name in json.dumps(each["Integration"].get("Uri", ""))]
    (api,) = [
        each["Properties"]["Name"] for each in found.values() if each["Type"] == "AWS::ApiGateway::RestApi"
    ]
    watched = [
        {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        for alarm in alarms(combination)
        if alarm.get("Namespace") == "AWS/ApiGateway" and alarm["MetricName"] == "5XXError"
    ]
    wanted = [
        {
            "ApiName": api,
            "Stage": "v1",
            "Resource": _path(method["ResourceId"]["Ref"], found),
            "Method": method["HttpMethod"],
        }
        for method in own
    ]
    return bool(wanted) and all(each in watched for each in wanted)


def _path(resource: str, found: dict[str, Resource]) -> str:
    properties = found[resource]["Properties"]
    parent = properties["ParentId"].get("Ref")
    return f"{_path(parent, found) if parent in found else ''}/{properties['PathPart']}"


def _exports(name: str) -> str:
    return f"ExportsOutputFnGetAtt{name}Arn"


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_what_cannot_be_started_waits_in_a_queue_that_rings(combination: str) -> None:
    queues = list(resources(combination, "AWS::SQS::Queue"))
    watched = [
        alarm["Dimensions"][0]["Value"]
        for alarm in alarms(combination)
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    ]
    assert sorted(watched) == sorted(queue["Properties"]["QueueName"] for _, queue in queues)
    targets = [t for _, rule in resources(combination, _RULE) for t in rule["Properties"]["Targets"]]
    targets += [s["Properties"]["Target"] for _, s in resources(combination, "AWS::Scheduler::Schedule")]
    assert len(targets) >= 2
    for target in targets:
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in {name for name, _ in queues}
    for _, queue in queues:
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_missing_data_break_no_threshold_but_that_of_silence(combination: str) -> None:
    """Else an alarm of a stage at rest would be INSUFFICIENT_DATA, or ring, for no fault."""
    for alarm in alarms(combination):
        silent = alarm["AlarmName"].endswith("-no-invocations")
        assert alarm["TreatMissingData"] == ("breaching" if silent else "notBreaching")
        # docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        assert alarm["EvaluationPeriods"] * alarm["Period"] <= 86_400


def test_silence_rings_only_while_a_model_serves() -> None:
    found = [
        (part, alarm)
        for part, template in synthesized("prod").items()
        for alarm in template.find_resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["AlarmName"] == "bincount-prod-no-invocations"
    ]
    ((part, alarm),) = found
    (endpoint,) = synthesized("prod")["serving"].find_resources("AWS::SageMaker::Endpoint").values()
    assert part == "serving"
    assert alarm["Condition"] == endpoint["Condition"] == "AModelIsApproved"
    assert json.dumps(alarm["Properties"]["AlarmActions"]).endswith(':bincount-prod-alarms"]]}]')


_MACHINE = "AWS::StepFunctions::StateMachine"
_RULE = "AWS::Events::Rule"
