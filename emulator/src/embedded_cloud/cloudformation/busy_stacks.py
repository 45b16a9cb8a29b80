"""A stack that changes takes no other change, and a change set of an earlier state is none any more.

ministack runs two updates of one stack beside each other. AWS refuses the second, and a change set that was
made before the stack was updated is OBSOLETE: so a `cdk deploy` cannot put back what a release has changed.
"""

from collections.abc import Callable
from typing import Any, cast

Handler = Callable[[dict[str, Any]], Any]
Refuse = Callable[[str, str], Any]
Record = dict[str, Any]


class BusyStacks:
    """Wraps CloudFormation's actions. `find_stack(name)` and `find_change_set(name, stack)` give ministack's
    own record or None; `refuse(code, message)` makes an answer.
    """

    def __init__(
        self,
        *,
        find_stack: Callable[[str], Record | None],
        find_change_set: Callable[[str, str], Record | None],
        refuse: Refuse,
    ) -> None:
        self._find_stack = find_stack
        self._find_change_set = find_change_set
        self._refuse = refuse

    def updating(self, handle: Handler) -> Handler:
        """UpdateStack and CreateChangeSet, refused while the stack changes."""

        def run(params: dict[str, Any]) -> Any:
            return self._busy(self._find_stack(_value(params, "StackName"))) or handle(params)

        return run

    def executing(self, handle: Handler) -> Handler:
        """ExecuteChangeSet, refused while the stack changes or where it has changed since."""

        def run(params: dict[str, Any]) -> Any:
            name = _value(params, "ChangeSetName")
            change_set = self._find_change_set(name, _value(params, "StackName"))
            stack = self._find_stack(change_set["StackName"]) if change_set else None
            if change_set is None or stack is None:
                return handle(params)
            if stack.get("LastUpdatedTime", "") > change_set["CreationTime"]:
                change_set["ExecutionStatus"] = "OBSOLETE"
                words = f"ChangeSet [{name}] cannot be executed in its current execution status of [OBSOLETE]"
                return self._refuse("InvalidChangeSetStatus", words)
            return self._busy(stack) or handle(params)

        return run

    def _busy(self, stack: Record | None) -> Any:
        status = stack["StackStatus"] if stack else ""
        if not stack or not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return None
        words = f"Stack:{stack['StackId']} is in {status} state and can not be updated."
        return self._refuse("ValidationError", words)


def _value(params: dict[str, Any], name: str) -> str:
    found = params.get(name, "")
    return str(cast("list[object]", found)[0]) if isinstance(found, list) else str(found)
