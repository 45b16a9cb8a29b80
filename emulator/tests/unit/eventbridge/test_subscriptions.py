"""An address that alarms are mailed to has no subscription of its own before it confirmed."""

import asyncio
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from embedded_cloud.account.subscriptions import with_pending_mail
from embedded_cloud.ministack_hooks.parts import sns

NAMESPACE = "{http://sns.amazonaws.com/doc/2010-03-31/}"


def asked(action: str, **parameters: str) -> ElementTree.Element:
    """What ministack's SNS answers after the request checks."""
    body = urlencode({"Action": action, **parameters}).encode()
    query: dict[str, Any] = {}
    handle = with_pending_mail(sns.handle_request)
    status, _, content = asyncio.run(handle("POST", "/", {}, body, query))
    assert status == 200, content
    return ElementTree.fromstring(content)


def test_mail_is_pending_and_a_queue_is_not() -> None:
    topic = asked("CreateTopic", Name="alarms").findtext(f".//{NAMESPACE}TopicArn") or ""
    queue = "arn:aws:sqs:us-east-1:000000000000:alarms"
    mail = {"email": "team@example.com", "email-json": "b@example.com"}
    for protocol, endpoint in {**mail, "sqs": queue}.items():
        asked("Subscribe", TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    found = asked("ListSubscriptionsByTopic", TopicArn=topic)
    arns = {
        each.findtext(f"{NAMESPACE}Endpoint"): each.findtext(f"{NAMESPACE}SubscriptionArn") or ""
        for each in found.iter(f"{NAMESPACE}member")
    }
    assert arns["team@example.com"] == arns["b@example.com"] == "PendingConfirmation"
    assert arns[queue].startswith(f"{topic}:")
