"""Stops what a step left under way, so that nothing goes on costing and the stacks can be destroyed."""

import time
from collections.abc import Callable
from typing import Any

from infra.names import Names
from infra.tools.leftovers import pages
from infra.tools.trial.account import Account
from infra.tools.trial.errors import StepFailed

POLL_SECONDS = 5.0
ENDING = ("InProgress", "Stopping")
# (kind of job, how they are listed, how one is stopped)
JOBS = (
    ("HyperParameterTuningJob", "list_hyper_parameter_tuning_jobs", "stop_hyper_parameter_tuning_job"),
    ("ProcessingJob", "list_processing_jobs", "stop_processing_job"),
    ("TransformJob", "list_transform_jobs", "stop_transform_job"),
)


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
        time.sleep(POLL_SECONDS)


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
