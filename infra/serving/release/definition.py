"""The release, as a state machine in Amazon States Language (JSONata)."""

from typing import Any

from infra.names import Names
from infra.serving.release.decisions import ANSWER, decide, go, or_as_it_was, variables
from infra.serving.release.lock import journal, take, unlock
from infra.serving.release.update_and_smoke_test import rollout_states
from infra.settings import Release
from infra.shared.state_language import State, catch, choice, task, wait

# Waiting for the lock, releasing and restoring may each take as long as a release.
PHASES = 3
# An ended holder's own restore (started by its end's event) comes first; this long after, anybody may.
PATIENCE_SECONDS = 120
# What was true at the start of the work on a package, and of every variable before anything can fail.
# `update_error` is the last error of a write to parameter or stack, `record_error` to journal or registry.
FRESH = {
    "target": "",
    "restoring": False,
    "settled": False,
    "update_error": "",
    "record_error": "",
    "reason": "",
}


def release_definition(
    *, names: Names, settings: Release, partition: str, table: str, step_function: str, smoke_function: str
) -> dict[str, Any]:
    """An approved package comes in, its model serves at the end, or the former one still does.

    Input: the registry's event of an approval (`detail.ModelPackageArn`), a person's rollback
    (`rollback.model_package`), or the event of the end of an execution of this machine that did not succeed
    (`detail.executionArn`), after which what it left is put back. One execution at a time changes anything
    (lock.py). The machine writes and waits; what it does next is decided by the function
    `release_step` (infra/runtime), which reads and never writes. Back and forth go the same way: the
    parameter, the stack, a look at the endpoint; `target` is the model wanted, `restoring` the direction.
    """
    deadline = f"{{% $millis() + {settings.timeout_minutes * 60_000} %}}"
    return {
        "Comment": "Brings an approved model to the endpoint, or puts the former one back.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": PHASES * settings.timeout_minutes * 60,
        "StartAt": "Begin",
        "States": {
            **_begin(),
            **_lock(partition, table=table, function=step_function, poll_seconds=settings.poll_seconds),
            **_plan(partition, table=table, function=step_function, deadline=deadline),
            **rollout_states(
                partition,
                names=names,
                settings=settings,
                step_function=step_function,
                smoke_function=smoke_function,
            ),
            **_reject(partition, table=table, function=step_function),
            **_end(partition, table=table),
        },
    }


def _begin() -> dict[str, State]:
    """Every variable, so that no expression can name one that was never assigned."""
    return {
        "Begin": {
            "Type": "Pass",
            "Assign": {
                "me": "{% $states.context.Execution.Id %}",
                "given": "{% $states.context.Execution.Input %}",
                "answer": {},
                "work": {},
                "end": {},
                **FRESH,
                "deadline": 0,
            },
            "Next": "CheckLock",
        }
    }


def _lock(partition: str, *, table: str, function: str, poll_seconds: int) -> dict[str, State]:
    """Until the lock is ours, or nothing is to be done."""
    return {
        "CheckLock": decide(
            partition,
            function,
            "lock",
            {"patience_seconds": PATIENCE_SECONDS},
            next_state="IsLockFree",
        ),
        "IsLockFree": go(take="AcquireLock", wait="WaitForLock", nothing="Succeeded"),
        "WaitForLock": wait(poll_seconds, next_state="CheckLock"),
        "AcquireLock": take(table=table, partition=partition, lost="CheckLock", next_state="CheckModels"),
    }


def _plan(partition: str, *, table: str, function: str, deadline: str) -> dict[str, State]:
    """What is to be done: an ended execution's rest first. The journal comes ahead of the first change."""
    return {
        "CheckModels": decide(
            partition,
            function,
            "plan",
            {"dead": "{% $answer.holder %}"},
            Assign={**ANSWER, **FRESH, "work": or_as_it_was("work"), "reason": or_as_it_was("reason")},
            next_state="ShouldDeploy",
        ),
        "ShouldDeploy": go(
            deploy="WriteJournal",
            settle="SettleRollback",
            finish="CheckPackages",
            restore="RestorePreviousModel",
            done="ReleaseLock",
        ),
        "WriteJournal": journal(
            table=table,
            partition=partition,
            former="$work.former",
            kind="$work.kind",
            Assign={"target": "{% $work.model %}", "deadline": deadline},
            next_state="WriteParameter",
        ),
    }


def _reject(partition: str, *, table: str, function: str) -> dict[str, State]:
    """After a rollback the newer packages, after a restore the one that failed: one at a time.

    First the journal learns that the rollback is done: whoever takes over from then on finishes it instead of
    putting the newer model back. A write that failed may have been done, so the item is read again.
    """
    return {
        "SettleRollback": journal(
            table=table,
            partition=partition,
            former="$work.model",
            kind="'rolled back'",
            Assign={"record_error": ""},
            Catch=catch("CheckPackages", assign="record_error"),
            next_state="CheckPackages",
        ),
        "CheckPackages": decide(
            partition,
            function,
            "left",
            variables("restoring", "record_error", "reason"),
            next_state="IsAnyToReject",
        ),
        "IsAnyToReject": go(reject="RejectPackage", done="ReleaseLock"),
        "RejectPackage": task(
            f"arn:{partition}:states:::aws-sdk:sagemaker:updateModelPackage",
            {
                "ModelPackageArn": "{% $answer.package %}",
                "ModelApprovalStatus": "Rejected",
                "ApprovalDescription": "{% $answer.description %}",
            },
            Assign={"record_error": ""},
            Catch=catch("CheckPackages", assign="record_error"),
            next_state="CheckPackages",
        ),
    }


def _end(partition: str, *, table: str) -> dict[str, State]:
    """The lock is free before an execution says how it ended; one that put another's work right goes on."""
    return {
        "ReleaseLock": unlock(table=table, partition=partition, next_state="HowDidItEnd"),
        "HowDidItEnd": choice(
            ("$end.outcome = 'again'", "CheckLock"),
            ("$end.outcome = 'succeeded'", "Succeeded"),
            otherwise="Failed",
        ),
        "Succeeded": {"Type": "Succeed", "Output": "{% $end.output %}"},
        "Failed": {"Type": "Fail", "Error": "{% $end.error %}", "Cause": "{% $end.cause %}"},
    }
