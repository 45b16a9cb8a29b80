"""Follows an execution of a state machine to its end, and stops what a step left under way."""

import time
from collections.abc import Callable
from typing import Any

from infra.names import Names
from infra.tools.leftovers import pages
from infra.tools.trial.account import Account
from infra.tools.trial.journal import Entry, StepFailed

POLL_SECONDS = 3.0
REST_SECONDS = 5.0
ENDING = ("InProgress", "Stopping")
# (kind of job, how they are listed, how one is stopped)
JOBS = (
    ("HyperParameterTuningJob", "list_hyper_parameter_tuning_jobs", "stop_hyper_parameter_tuning_job"),
    ("ProcessingJob", "list_processing_jobs", "stop_processing_job"),
    ("TransformJob", "list_transform_jobs", "stop_transform_job"),
)


def follow(states: Any, arn: str, *, entry: Entry, deadline: float, say: Callable[[str], None]) -> str:
    """Waits for its end; `entered` and `left` among the facts of `entry` are its states. Returns its output.

    Raises StepFailed with AWS's error and cause, and where the deadline (time.monotonic) comes first.
    """
    reported = 0
    while True:
        answer = states.describe_execution(executionArn=arn)
        entry.facts["entered"], entry.facts["left"] = _states(states, arn)
        for name in entry.facts["entered"][reported:]:
            say(f"state {name}")
        reported = len(entry.facts["entered"])
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


def stop_all(account: Account, names: Names, *, deadline: float, say: Callable[[str], None]) -> None:
    """Executions first, then their jobs; returns when the stage's stacks are at rest.

    Raises StepFailed at the deadline (time.monotonic).
    """
    _stop_executions(account, names, say)
    for kind, listed, stop in JOBS:
        for job in _under_way(account, names, kind, listed):
            if job[f"{kind}Status"] == "InProgress":
                getattr(account.client("sagemaker"), stop)(**{f"{kind}Name": job[f"{kind}Name"]})
                say(f"stopped {job[f'{kind}Name']}")
    while busy := _busy(account, names):
        if time.monotonic() > deadline:
            raise StepFailed(f"still under way: {', '.join(busy)}")
        time.sleep(REST_SECONDS)


def _stop_executions(account: Account, names: Names, say: Callable[[str], None]) -> None:
    states = account.client("stepfunctions")
    wanted = (names.pipeline, names.release, names.recount)
    for page in states.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"] not in wanted:
                continue
            running = states.list_executions(
                stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
            )
            for execution in running["executions"]:
                states.stop_execution(executionArn=execution["executionArn"], cause="the trial ends")
                say(f"stopped {execution['name']} of {machine['name']}")


def _under_way(account: Account, names: Names, kind: str, listed: str) -> list[dict[str, Any]]:
    client = account.client("sagemaker")
    found = [
        job for status in ENDING for job in pages(client, listed, f"{kind}Summaries", StatusEquals=status)
    ]
    return [job for job in found if job[f"{kind}Name"].startswith(names.jobs)]


def _busy(account: Account, names: Names) -> list[str]:
    jobs = [
        job[f"{kind}Name"] for kind, listed, _ in JOBS for job in _under_way(account, names, kind, listed)
    ]
    stacks = account.stacks(names).items()
    return [*jobs, *(f"{name} ({status})" for name, status in stacks if status.endswith("_IN_PROGRESS"))]
