"""What of ministack's EventBridge is used or replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Hook

_EVENTS = "ministack.services.eventbridge"
_SNS = "ministack.services.sns"
_WHY = "what fails is tried again or ends in the dead-letter queue"

REPLACED = (
    Hook(module=_EVENTS, name="_invoke_target", parameters=("target", "event", "rule", "view"), reason=_WHY),
    Hook(module=_EVENTS, name="_dispatch_to_stepfunctions", parameters=("arn", "payload"), reason=_WHY),
    Hook(module=_EVENTS, name="_dispatch_to_lambda", parameters=("arn", "payload"), reason=_WHY),
    Hook(
        module=_EVENTS,
        name="_dispatch_to_sqs",
        parameters=("spec", "payload", "sqs_parameters"),
        reason=_WHY,
    ),
    Hook(
        module=_EVENTS,
        name="_dispatch_to_event_bus",
        parameters=("spec", "event", "rule", "event_path", "target_input_payload"),
        reason=_WHY,
    ),
    Hook(module=_EVENTS, name="_dispatch_to_sns", parameters=("arn", "payload"), reason=_WHY),
    Hook(
        module=_EVENTS,
        name="_validate_target_arn",
        parameters=("target",),
        reason="bounds of a retry policy",
    ),
)
USED = (
    Hook(module=_EVENTS, name="_event_buses", reason="whether a bus is there"),
    Hook(module=_EVENTS, name="_rule_arn", parameters=("rule_name", "bus_name"), reason="names a rule"),
    Hook(module=_EVENTS, name="_pattern_event_view", parameters=("event",), reason="an event as delivered"),
    Hook(module=_SNS, name="publish_internal", parameters=None, reason="sends to a topic"),
    Hook(module=_SNS, name="SnsPublishError", reason="a topic's error"),
    Hook(module="ministack.services.sqs", name="_queue_by_arn", parameters=("arn",), reason="finds a queue"),
)
