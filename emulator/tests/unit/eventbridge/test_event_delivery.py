"""An event on its way: what is tried again, how often, and what the dead-letter queue then holds."""

import json
import threading
from typing import Any

import pytest
from embedded_cloud.errors import AwsError
from embedded_cloud.eventbridge.delivery import Delivery
from embedded_cloud.eventbridge.failure import Failure, report
from embedded_cloud.eventbridge.rights import check_target, may_send

TARGET = "arn:aws:states:us-east-1:000000000000:stateMachine:release"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:dead"
BUSY = Failure(code="THROTTLING", message="Rate exceeded", retryable=True)
GONE = Failure(code="NO_RESOURCE", message="The state machine does not exist.")


class Road:
    """A target that fails in this order and then works, and where its dead letters and metrics go."""

    def __init__(self, *failures: Failure) -> None:
        self._failures = list(failures)
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        self.counted: list[str] = []
        self.ended = threading.Event()

    def deliver(self, **policy: int) -> None:
        """Sends one event and waits for its end."""
        delivery = Delivery(
            invoke=self._invoke,
            check=lambda target: None,
            send=self._send,
            record=self._record,
            rule_arn=lambda rule: f"arn:aws:events:us-east-1:000000000000:rule/{rule['Name']}",
            event_of=lambda event, view: event,
            first_pause=0.001,
        )
        target = {"Arn": TARGET, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": QUEUE}}
        delivery(target, {"source": "aws.sagemaker"}, {"Name": "approved"})
        assert self.ended.wait(10)

    def _send(self, queue: str, body: str, attributes: dict[str, str]) -> None:
        self.sent.append((queue, body, attributes))

    def _invoke(self, *_: Any) -> None:
        if self._failures:
            report(self._failures.pop(0))

    def _record(self, namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
        assert (namespace, dimensions) == ("AWS/Events", {"RuleName": "approved"})
        self.counted.append(name)
        if name in ("Invocations", "InvocationsSentToDlq"):
            self.ended.set()


def test_a_lasting_failure_is_not_tried_again():
    road = Road(GONE)
    road.deliver()
    (queue, body, attributes), *others = road.sent
    assert (queue, others) == (QUEUE, [])
    assert json.loads(body) == {"source": "aws.sagemaker"}
    assert attributes == {
        "RULE_ARN": "arn:aws:events:us-east-1:000000000000:rule/approved",
        "TARGET_ARN": TARGET,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": "The state machine does not exist.",
    }
    assert road.counted.count("FailedInvocations") == 1


def test_a_busy_target_is_tried_again():
    road = Road(BUSY, BUSY)
    road.deliver()
    assert road.sent == []
    assert road.counted.count("RetryInvocationAttempts") == 2
    assert road.counted.count("Invocations") == 1


def test_the_retries_are_as_many_as_the_policy_says():
    road = Road(*[BUSY] * 10)
    road.deliver(MaximumRetryAttempts=3)
    attributes = road.sent[0][2]
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert (attributes["RETRY_ATTEMPTS"], attributes["ERROR_CODE"]) == ("3", "THROTTLING")


def test_no_retry_where_the_policy_says_none():
    road = Road(BUSY)
    road.deliver(MaximumRetryAttempts=0)
    assert road.sent[0][2]["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert "RetryInvocationAttempts" not in road.counted


@pytest.mark.parametrize(
    "member",
    [
        {"RetryPolicy": {"MaximumRetryAttempts": 186}},
        {"RetryPolicy": {"MaximumEventAgeInSeconds": 59}},
        {"DeadLetterConfig": {"Arn": "arn:aws:sns:us-east-1:000000000000:topic"}},
        {"DeadLetterConfig": {"Arn": f"{QUEUE}.fifo"}},
    ],
)
def test_targets_that_aws_does_not_take(member: dict[str, Any]):
    with pytest.raises(AwsError):
        check_target({"Id": "one", "Arn": TARGET, **member})


def test_a_queue_lets_eventbridge_in_by_its_policy():
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    }
    policy = json.dumps({"Statement": [statement]})
    assert may_send({"attributes": {"Policy": policy}})
    assert not may_send({"attributes": {}})
    assert not may_send({"attributes": {"Policy": policy.replace("events.", "sns.")}})
