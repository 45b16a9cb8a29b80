"""What a Lambda function behind a proxy integration gets: with the request's own id, as on AWS."""

from collections.abc import Callable
from typing import Any

from embedded_cloud.apigateway.current_request import current


def with_request_id(build: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`build` is ministack's, which makes an id of its own; callers and the access log see another one."""

    def built(*arguments: Any, **options: Any) -> dict[str, Any]:
        event = build(*arguments, **options)
        event["requestContext"]["requestId"] = current().id
        return event

    return built
