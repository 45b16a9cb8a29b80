"""DescribeStacks with a parameter of a type AWS::SSM::Parameter::Value<…> as AWS reports it.

Its ParameterValue is the key in Parameter Store and its ResolvedValue what was read there; ministack gives
what was read as the ParameterValue.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

Answer = tuple[int, dict[str, str], bytes]
_ID = re.compile("<StackId>(.*?)</StackId>")
_PARAMETER = re.compile(
    "<member><ParameterKey>(?P<key>[^<]*)</ParameterKey>"
    "<ParameterValue>(?P<value>[^<]*)</ParameterValue></member>"
)


def with_resolved_values(
    describe: Callable[[dict[str, Any]], Answer], *, find_stack: Callable[[str], dict[str, Any] | None]
) -> Callable[[dict[str, Any]], Answer]:
    """ministack's DescribeStacks; `find_stack(id)` gives its record of a stack."""

    def run(params: dict[str, Any]) -> Answer:
        status, headers, body = describe(params)
        before, *stacks = re.split("(?=<member><StackName>)", body.decode())
        return status, headers, "".join([before, *map(with_keys, stacks)]).encode()

    def with_keys(stack: str) -> str:
        found = _ID.search(stack)
        read = ((find_stack(found[1]) if found else None) or {}).get("_resolved_params", {})

        def member(match: re.Match[str]) -> str:
            name: str | None = read.get(match["key"], {}).get("SsmName")
            if name is None:
                return match[0]
            return (
                f"<member><ParameterKey>{match['key']}</ParameterKey>"
                f"<ParameterValue>{escape(name)}</ParameterValue>"
                f"<ResolvedValue>{match['value']}</ResolvedValue></member>"
            )

        return _PARAMETER.sub(member, stack)

    return run
