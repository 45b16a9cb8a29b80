"""API Gateway's mapping templates: Velocity, with `$input` and `$context`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import airspeed


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A rendered template, and the status that it set (`$context.responseOverride.status`), or None."""

    text: str
    status: int | None


def render(template: str, *, body: str, context: Mapping[str, Any]) -> Rendered:
    """Renders a response template over the integration's answer `body`.

    `$input.json(path)` and `$input.path(path)` know `$` and `$.a.b`; Velocity itself is airspeed's.
    """
    override: dict[str, Any] = {}
    variables = {"input": _Input(body), "context": {**context, "responseOverride": override}}
    text = airspeed.Template(template).merge(variables)
    status = override.get("status")
    return Rendered(text=text, status=None if status is None else int(status))


class _Input:
    def __init__(self, body: str) -> None:
        self._body = body

    def path(self, path: str) -> Any:
        """The value at `path`: "" where there is nothing or the body is not JSON."""
        try:
            node: Any = json.loads(self._body)
        except ValueError:
            return ""
        for name in path.removeprefix("$").split("."):
            if name:
                node = cast("dict[str, Any]", node).get(name, "") if isinstance(node, dict) else ""
        return node

    def json(self, path: str) -> str:
        """The same as JSON text; text that is not JSON stays as it is."""
        return json.dumps(node) if (node := self.path(path)) != "" else self._body
