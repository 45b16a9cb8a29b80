"""Events that cannot be delivered are not lost: they wait in the target's dead-letter queue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_cloud.cloud import Cloud
from embedded_cloud.testing import make_role, sums_of, wait_until

ACCOUNT = "arn:aws:{}:us-east-1:000000000000:{}"
DEFINITION = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder: Path = tmp_path_factory.mktemp("events")
    with Cloud(data_dir=folder) as cloud:
        yield cloud


def make_queue(cloud: Cloud, name: str, *, lets_in: bool = True) -> tuple[str, str]:
    """A queue with EventBridge in its policy; URL and ARN."""
    sqs, arn = cloud.client("sqs"), ACCOUNT.format("sqs", name)
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    statement |= {"Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    attributes = {"Policy": policy} if lets_in else {}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn


def make_rule(cloud: Cloud, name: str, **target: Any) -> None:
    """A rule for the source of that name."""
    events = cloud.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    answer = events.put_targets(Rule=name, Targets=[{"Id": "one", **target}])
    assert answer["FailedEntryCount"] == 0


def send(cloud: Cloud, source: str) -> None:
    """One event."""
    entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps({"package": 7})}
    cloud.client("events").put_events(Entries=[entry])


def received(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    """The messages of a queue."""
    sqs = cloud.client("sqs")
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return answer.get("Messages", [])


def total(cloud: Cloud, metric: str, *, rule: str) -> float:
    """What a metric of a rule adds up to lately."""
    return sum(sums_of(cloud, "AWS/Events", metric, RuleName=rule))


def test_an_event_for_an_absent_machine_is_kept(cloud: Cloud):
    url, queue = make_queue(cloud, "absent")
    machine = ACCOUNT.format("states", "stateMachine:nobody")
    make_rule(cloud, "absent", Arn=machine, DeadLetterConfig={"Arn": queue})
    send(cloud, "absent")
    message = wait_until(lambda: received(cloud, url), bool)[0]
    assert json.loads(message["Body"])["detail"] == {"package": 7}
    found = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert found.pop("ERROR_MESSAGE")
    assert found == {
        "RULE_ARN": ACCOUNT.format("events", "rule/absent"),
        "TARGET_ARN": machine,
        "ERROR_CODE": "NO_RESOURCE",
    }
    assert total(cloud, "FailedInvocations", rule="absent") == 1
    assert total(cloud, "InvocationsSentToDlq", rule="absent") == 1


def test_an_alarm_can_watch_the_queue(cloud: Cloud):
    url, _ = make_queue(cloud, "watched")
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="watched",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "watched"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="an event")
    alarms = wait_until(
        lambda: cloud.client("cloudwatch").describe_alarms(AlarmNames=["watched"])["MetricAlarms"],
        lambda found: found[0]["StateValue"] == "ALARM",
    )
    assert "greater than the threshold" in alarms[0]["StateReason"]


def test_a_role_that_may_not_start_the_machine(cloud: Cloud):
    role = make_role(cloud, name="powerless", actions=["s3:ListAllMyBuckets"])
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name="guarded", definition=DEFINITION, roleArn=role)
    url, queue = make_queue(cloud, "guarded")
    arn = machine["stateMachineArn"]
    make_rule(cloud, "guarded", Arn=arn, RoleArn=role, DeadLetterConfig={"Arn": queue})
    send(cloud, "guarded")
    message = wait_until(lambda: received(cloud, url), bool)[0]
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert states.list_executions(stateMachineArn=arn)["executions"] == []


def test_a_queue_that_does_not_let_eventbridge_in_gets_nothing(cloud: Cloud):
    url, queue = make_queue(cloud, "closed", lets_in=False)
    absent = ACCOUNT.format("sqs", "nobody")
    make_rule(cloud, "closed", Arn=absent, DeadLetterConfig={"Arn": queue})
    send(cloud, "closed")
    wait_until(
        lambda: total(cloud, "InvocationsFailedToBeSentToDlq", rule="closed"),
        lambda count: count == 1,
    )
    assert received(cloud, url) == []


def test_an_event_that_arrives_is_counted(cloud: Cloud):
    role = make_role(cloud, name="starter", actions=["states:StartExecution"])
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name="started", definition=DEFINITION, roleArn=role)
    arn = machine["stateMachineArn"]
    url, queue = make_queue(cloud, "started")
    make_rule(cloud, "started", Arn=arn, RoleArn=role, DeadLetterConfig={"Arn": queue})
    send(cloud, "started")
    wait_until(lambda: states.list_executions(stateMachineArn=arn)["executions"], bool)
    assert total(cloud, "Invocations", rule="started") == 1
    assert received(cloud, url) == []
