"""The event of the trigger before a token, with the groups that ministack leaves out at a refresh."""

from collections.abc import Callable, Mapping
from typing import Any

Pools = Mapping[str, dict[str, Any]]


def with_groups(build: Callable[..., dict[str, Any]], pools: Pools) -> Callable[..., dict[str, Any]]:
    """`build` is ministack's; `pools` its user pools by id."""

    def built(**options: Any) -> dict[str, Any]:
        users: dict[str, Any] = pools[options["pool_id"]].get("_users", {})
        own: list[str] = users.get(options["username"], {}).get("_groups", [])
        return build(**{**options, "groups": options["groups"] or list(own)})

    return built
