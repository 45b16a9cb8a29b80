"""Access log settings of `AWS::ApiGateway::Stage`, which ministack leaves out."""

from collections.abc import Callable
from typing import Any

Handler = dict[str, Callable[..., Any]]
Update = Callable[[str, str, dict[str, Any]], Any]


def with_access_logs(stage: Handler, update: Update) -> Handler:
    """ministack's handler of the type; `update(api id, stage name, patch)` is its UpdateStage."""

    def set_logs(properties: dict[str, Any]) -> None:
        given: dict[str, str] = properties.get("AccessLogSetting") or {}
        value = {"destinationArn": given.get("DestinationArn", ""), "format": given.get("Format", "")}
        operation = {"op": "replace", "path": "/accessLogSettings", "value": value}
        update(properties["RestApiId"], properties["StageName"], {"patchOperations": [operation]})

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        created = stage["create"](logical_id, properties, stack_name)
        set_logs(properties)
        return created

    def change(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        changed = stage["update"](physical_id, old, new, stack_name)
        set_logs(new)
        return changed

    return {**stage, "create": create, "update": change}
