"""Security policy and access mode of `AWS::ApiGateway::RestApi`, which ministack leaves out."""

from collections.abc import Callable
from typing import Any

Handler = dict[str, Any]
Update = Callable[[str, dict[str, Any]], Any]
_FIELDS = {"SecurityPolicy": "/securityPolicy", "EndpointAccessMode": "/endpointAccessMode"}


def with_tls(rest_api: Handler, update: Update) -> Handler:
    """ministack's handler of the type; `update(api id, patch)` is its UpdateRestApi.

    The values are kept and reported; which TLS a caller speaks is not looked at.
    """

    def keep(api: str, properties: dict[str, Any]) -> None:
        operations = [
            {"op": "replace", "path": path, "value": properties[key]}
            for key, path in _FIELDS.items()
            if key in properties
        ]
        update(api, {"patchOperations": operations})

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        created = rest_api["create"](logical_id, properties, stack_name)
        keep(created[0], properties)
        return created

    def change(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        changed = rest_api["update"](physical_id, old, new, *rest)
        keep(changed[0], new)
        return changed

    return {**rest_api, "create": create, "update": change}
