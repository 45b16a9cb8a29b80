"""A type whose properties are held to what its service refuses, which ministack's own handler is not."""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_cloud.errors import AwsError

Check = Callable[[Mapping[str, Any]], None]


def checked(
    resource_type: str, handler: dict[str, Any], check: Check, *, created_only: bool = False
) -> dict[str, Any]:
    """ministack's handler of `resource_type`, asked only with what `check` lets through (or AwsError).

    `created_only`: what is changed in place is not held to it.
    """
    service = resource_type.split("::")[1]

    def hold(properties: Mapping[str, Any]) -> None:
        try:
            check(properties)
        except AwsError as error:
            raise ValueError(
                f"{error.message} (Service: {service}, Status Code: {error.status}, {error.code})"
            ) from error

    def create(logical_id: str, properties: dict[str, Any], *others: Any) -> Any:
        hold(properties)
        return handler["create"](logical_id, properties, *others)

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *others: Any) -> Any:
        hold(new)
        return handler["update"](physical_id, old, new, *others)

    if created_only or "update" not in handler:
        return {**handler, "create": create}
    return {**handler, "create": create, "update": update}
