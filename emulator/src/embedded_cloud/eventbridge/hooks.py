"""What of ministack's EventBridge is used or replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Module

_EVENTS = Module("ministack.services.eventbridge")
_SNS = Module("ministack.services.sns")
_WHY = "what fails is tried again or ends in the dead-letter queue"
_SQS = Module("ministack.services.sqs")

REPLACED = (
    _EVENTS.function("_invoke_target", ("target", "event", "rule", "view"), reason=_WHY),
    _EVENTS.function("_dispatch_to_stepfunctions", ("arn", "payload"), reason=_WHY),
    _EVENTS.function("_dispatch_to_lambda", ("arn", "payload"), reason=_WHY),
    _EVENTS.function("_dispatch_to_sqs", ("spec", "payload", "sqs_parameters"), reason=_WHY),
    _EVENTS.function(
        "_dispatch_to_event_bus", ("spec", "event", "rule", "event_path", "target_input_payload"), reason=_WHY
    ),
    _EVENTS.function("_dispatch_to_sns", ("arn", "payload"), reason=_WHY),
    _EVENTS.function("_validate_target_arn", ("target",), reason="bounds of a retry policy"),
)
USED = (
    _EVENTS.value("_event_buses", reason="whether a bus is there"),
    _EVENTS.function("_rule_arn", ("rule_name", "bus_name"), reason="names a rule"),
    _EVENTS.function("_pattern_event_view", ("event",), reason="an event as delivered"),
    _SNS.value("publish_internal", reason="sends to a topic"),
    _SNS.value("SnsPublishError", reason="a topic's error"),
    _SQS.function("_queue_by_arn", ("arn",), reason="finds a queue"),
)
