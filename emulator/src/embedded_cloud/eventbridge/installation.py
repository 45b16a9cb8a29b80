"""Puts this folder into ministack's EventBridge."""

from collections.abc import Callable

from embedded_cloud.aws import Aws
from embedded_cloud.eventbridge.delivery import Delivery, RecordMetric
from embedded_cloud.eventbridge.rights import Authorise, check_target, checker, may_send
from embedded_cloud.eventbridge.targets import to_existing, to_sns, to_stepfunctions
from embedded_cloud.ministack_hooks.parts import eventbridge, lambda_service, sfn, sns, sqs
from embedded_cloud.wire import checked


class DeadLetterError(Exception):
    """An event that cannot go into its dead-letter queue."""


def install(*, aws: Aws, authorise: Authorise, record: RecordMetric) -> None:
    """Once in a process. `authorise(role, action, arn)` says whether a role may."""
    eventbridge._dispatch_to_stepfunctions = to_stepfunctions(lambda request: sfn._start_execution(request))
    eventbridge._dispatch_to_lambda = to_existing(
        eventbridge._dispatch_to_lambda,
        exists=lambda arn: lambda_service._get_func_record_for_ref(arn)[0] is not None,
        what="function",
    )
    eventbridge._dispatch_to_sqs = to_existing(
        eventbridge._dispatch_to_sqs,
        exists=lambda arn: sqs._queue_by_arn(arn) is not None,
        what="queue",
    )
    eventbridge._dispatch_to_event_bus = to_existing(
        eventbridge._dispatch_to_event_bus,
        exists=lambda arn: arn.rpartition("event-bus/")[2] in eventbridge._event_buses,
        what="event bus",
    )
    eventbridge._dispatch_to_sns = to_sns(sns.publish_internal, sns.SnsPublishError)
    eventbridge._validate_target_arn = checked(eventbridge._validate_target_arn, check_target)
    eventbridge._invoke_target = Delivery(
        invoke=eventbridge._invoke_target,
        check=checker(authorise),
        send=_sender(aws),
        record=record,
        rule_arn=lambda rule: eventbridge._rule_arn(rule.get("Name"), rule.get("EventBusName", "default")),
        event_of=lambda event, view: (view or eventbridge._pattern_event_view(event)).event_with_detail(),
    )


def _sender(aws: Aws) -> Callable[[str, str, dict[str, str]], None]:
    def send(arn: str, body: str, attributes: dict[str, str]) -> None:
        queue = sqs._queue_by_arn(arn)
        if queue is None:
            raise DeadLetterError(f"the queue {arn} does not exist")
        if not may_send(queue):
            raise DeadLetterError(f"the policy of {arn} does not let events.amazonaws.com send")
        given = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        aws.client("sqs").send_message(QueueUrl=queue["url"], MessageBody=body, MessageAttributes=given)

    return send
