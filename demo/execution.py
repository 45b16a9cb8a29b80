"""Follows a Step Functions execution: which state, since when, how it ended."""

import time
from collections.abc import Callable
from typing import Any

from demo.errors import DemoError

POLL_SECONDS = 1.0


class Execution:
    """One execution of a state machine, started elsewhere."""

    def __init__(self, stepfunctions: Any, arn: str) -> None:
        self._stepfunctions = stepfunctions
        self.arn = arn
        self.status = "RUNNING"
        self.output: str = "{}"

    def follow(self, *, on_state: Callable[[str], None], on_poll: Callable[[str], None]) -> None:
        """Wait for the end. `on_state` is told each state entered, `on_poll` the current one each second.

        Raises DemoError where the execution does not succeed.
        """
        seen = 0
        state = ""
        while True:
            answer = self._stepfunctions.describe_execution(executionArn=self.arn)
            entered = [name for name, _ in self._entries()]
            for state in entered[seen:]:
                on_state(state)
            seen = len(entered)
            self.status = answer["status"]
            if self.status != "RUNNING":
                break
            on_poll(state)
            time.sleep(POLL_SECONDS)
        self.output = answer.get("output", "{}")
        if self.status != "SUCCEEDED":
            cause = (
                f"{answer.get('error', '')}: {answer.get('cause', 'no cause was given')}{self._child_cause()}"
            )
            raise DemoError(f"{self.arn.split(':')[-2]} ended as {self.status} in state {state}: {cause}")

    def _child_cause(self) -> str:
        """Why a Distributed Map failed: only its child executions know."""
        for run in self._stepfunctions.list_map_runs(executionArn=self.arn)["mapRuns"]:
            children = self._stepfunctions.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")
            for child in children["executions"]:
                answer = self._stepfunctions.describe_execution(executionArn=child["executionArn"])
                return f" (a batch: {answer.get('error')}: {answer.get('cause')})"
        return ""

    def seconds(self) -> dict[str, float]:
        """Seconds from entering each state to entering the next one, or to the end."""
        entries = self._entries()
        answer = self._stepfunctions.describe_execution(executionArn=self.arn)
        ends = [moment for _, moment in entries[1:]] + [answer["stopDate"]]
        spent: dict[str, float] = {}
        for (name, began), end in zip(entries, ends, strict=True):
            spent[name] = round(spent.get(name, 0.0) + (end - began).total_seconds(), 2)
        return spent

    def _entries(self) -> list[tuple[str, Any]]:
        pages = self._stepfunctions.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for page in pages
            for event in page["events"]
            if event["type"].endswith("StateEntered")
        ]
