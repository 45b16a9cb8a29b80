"""ListSubscriptionsByTopic of SNS for mail: an address that has not confirmed has no ARN.

Nobody reads mail here, so none ever confirms. ministack takes each for confirmed at once.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from embedded_cloud.sagemaker.runtime import Response
from embedded_cloud.wire import Handler

_OF_MAIL = re.compile(
    rb"<SubscriptionArn>[^<]*</SubscriptionArn>"
    rb"(?=(?:<(?:Owner|TopicArn)>[^<]*</\w+>)*<Protocol>email(?:-json)?</Protocol>)"
)
_PENDING = b"<SubscriptionArn>PendingConfirmation</SubscriptionArn>"


def with_pending_mail(handle: Handler) -> Handler:
    """SNS's handler, whose list of subscriptions says of mail what AWS says."""

    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        status, answered, content = await handle(method, path, headers, body, query)
        action = dict(parse_qsl(body.decode(errors="replace"))).get("Action")
        if action in ("ListSubscriptionsByTopic", "ListSubscriptions"):
            content = _OF_MAIL.sub(_PENDING, content)
        return status, answered, content

    return run
