"""Follows an execution of a state machine, and keeps what became of it, however it ends."""

import time
from collections.abc import Callable
from typing import Any

from infra.tools.trial.errors import StepFailed
from infra.tools.trial.journal import Entry

POLL_SECONDS = 3.0


def follow(states: Any, arn: str, *, entry: Entry, deadline: float, say: Callable[[str], None]) -> str:
    """Waits for its end; `entered` and `left` among the facts of `entry` are its states. Returns its output.

    Raises StepFailed with AWS's error and cause, and where the deadline (time.monotonic) comes first.
    """
    told = 0
    while True:
        answer = states.describe_execution(executionArn=arn)
        entry.facts["entered"], entry.facts["left"] = _states(states, arn)
        for name in entry.facts["entered"][told:]:
            say(f"state {name}")
        told = len(entry.facts["entered"])
        if answer["status"] != "RUNNING":
            break
        if time.monotonic() > deadline:
            raise StepFailed(f"{arn.rsplit(':', 1)[-1]} is {answer['status']} at the end of the trial's time")
        time.sleep(POLL_SECONDS)
    entry.words.append(f"{arn}: {answer['status']}")
    if answer["status"] != "SUCCEEDED":
        where = entry.facts["entered"][-1] if entry.facts["entered"] else "its start"
        cause = f"{answer.get('error', '')}: {answer.get('cause', 'no cause was given')}"
        raise StepFailed(f"{answer['status']} in {where}: {cause}{_child_cause(states, arn)}")
    return str(answer.get("output", "{}"))


def _states(states: Any, arn: str) -> tuple[list[str], list[str]]:
    """The names of the states that were entered and that were left, those of loops once."""
    entered: dict[str, None] = {}
    left: dict[str, None] = {}
    for page in states.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if "stateEnteredEventDetails" in event:
                entered[event["stateEnteredEventDetails"]["name"]] = None
            if "stateExitedEventDetails" in event:
                left[event["stateExitedEventDetails"]["name"]] = None
    return list(entered), list(left)


def _child_cause(states: Any, arn: str) -> str:
    """Why a Distributed Map failed: only its child executions know."""
    for run in states.list_map_runs(executionArn=arn)["mapRuns"]:
        failed = states.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")["executions"]
        for child in failed[:1]:
            answer = states.describe_execution(executionArn=child["executionArn"])
            return f" (a batch: {answer.get('error')}: {answer.get('cause')})"
    return ""
