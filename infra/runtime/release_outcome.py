"""Whether the wanted model serves, and what is left to reject: pure functions, without a call or a clock."""

import re
from datetime import datetime

from release_plan import (
    NO_MODEL,
    ROLLED_BACK,
    Decision,
    Facts,
    again,
    approved_package,
    done,
    ended_execution,
    error_of,
    failed,
    lock_lost,
    succeeded,
)

NO_UPDATES = "No updates are to be performed"
# CloudFormation's words: "Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated." A throttled
# call and an answer 5xx have the same error name as any other error, so the texts are compared.
BUSY = re.compile(r"is in [A-Z_]+_IN_PROGRESS state|Rate exceeded|Status Code: 5[0-9]{2}")
BACK_AT_REST = re.compile(r"(ROLLBACK_COMPLETE|FAILED)$")
LONGEST_DESCRIPTION = 1000  # SageMaker takes 1,024 characters, in one line


def served(
    event: Facts, item: Facts, stack: Facts, parameter: Facts, endpoint: Facts, *, now: datetime
) -> Decision:
    """Does `target` serve? `wait`, `update`, `settle`, `smoke test`, `restored`, `restore`, `failed`.

    CloudFormation and SageMaker can both roll back without an error that anyone would see, so the endpoint is
    compared. `endpoint` has `status` and `serves`, the model's address.

    An execution that was aborted may have had a write of the parameter under way, which lands after it was
    put back: Parameter Store knows no conditional write that would prevent it. So what was put back is looked
    at again after `settle`, and put back once more where the parameter names another model. A late
    UpdateStack does no harm: it names no model, the stack reads the parameter.
    """
    if item.get("holder") != event["me"]:
        return lock_lost()
    target, restoring = event["target"], event["restoring"]
    if event["settled"] and parameter.get("Parameter", {}).get("Value") != target:
        if error_of(parameter):
            return _not_served(event, error_of(parameter))
        return {"decision": "restore"}
    pending = _pending(event, stack, late=now.timestamp() * 1000 > event["deadline"])
    if pending:
        return pending
    if restoring and not event["settled"]:
        return {"decision": "settle"}
    if target != NO_MODEL and (endpoint.get("status"), endpoint.get("serves")) != ("InService", target):
        found = f"the endpoint is {endpoint.get('status')} and serves {endpoint.get('serves')}"
        return _not_served(event, error_of(endpoint) or f"{found} instead of {target}")
    return {"decision": "restored" if restoring else "smoke test"}


def left(event: Facts, item: Facts, *, package: Facts, too_new: Facts) -> Decision:
    """Which package must be rejected now? `reject` (`package`, `description`), `done`, `failed`.

    After a rollback every newer approved package, so that the newest approved one is the one that serves:
    `too_new` is one of them, {} where there is none. After a restore the package that was released, so that
    the former one is the newest again. What a rollback went back to is older, and stays approved.
    """
    if item.get("holder") != event["me"]:
        return lock_lost()
    if item.get("kind") == ROLLED_BACK:
        return _newer_left(event, item, too_new)
    if not event["restoring"]:
        return failed(
            "Unsettled",
            f"{item['package']} serves, but the journal could not be written ({event['record_error']}): the "
            "execution that follows this one finishes the rollback, or puts the former model back",
        )
    gone = error_of(package) or package.get("ModelApprovalStatus") == "Rejected"
    if item.get("kind") != "rollback" and not gone and not event["record_error"]:
        words = f"Release failed: {event['reason']}"
        return {
            "decision": "reject",
            "package": item["package"],
            "description": " ".join(words.split())[:LONGEST_DESCRIPTION],
        }
    if not ended_execution(event) and approved_package(event) != item.get("package"):
        return done(again())
    former = "no model" if item["former"] == NO_MODEL else item["former"]
    return done(failed("ReleaseFailed", f"{_what(item)} failed and {former} serves again: {event['reason']}"))


def newer(event: Facts, item: Facts, approved: Facts) -> list[str]:
    """Of the `approved` packages those that the rollback in the journal has to reject, newest first.

    Not the one that started this execution: an approval after a rollback that died wants its package.
    """
    rows = approved["ModelPackageSummaryList"]
    arns = [row["ModelPackageArn"] for row in rows if row["ModelPackageVersion"] > int(item["version"])]
    return [arn for arn in arns if arn != approved_package(event)]


def _pending(event: Facts, stack: Facts, *, late: bool) -> Decision | None:
    """What the stack's state and the last failed write ask for; None: the update is through."""
    words = event["update_error"]
    through, busy = NO_UPDATES in words, BUSY.search(words)
    if words and not through and not busy:
        return _not_served(event, words)
    if error_of(stack):
        return _not_served(event, error_of(stack))
    status = stack["Stacks"][0]["StackStatus"]
    found = words if busy else f"the serving stack is {status}"
    changing = status.endswith("_IN_PROGRESS")
    if not changing and (through or (not busy and status == "UPDATE_COMPLETE")):
        return None
    # The error says that another one's update was under way: whichever way that one ended, ours comes now.
    failing = BACK_AT_REST.search(status) and not busy
    if failing or (late and not event["restoring"]):
        return _not_served(event, found)
    return {"decision": "update" if busy and not changing else "wait"}


def _not_served(event: Facts, reason: str) -> Decision:
    """Put back, or say that it could not be."""
    if not event["restoring"]:
        return {"decision": "restore", "reason": reason}
    work = event["work"]
    return failed(
        "NotRestored",
        f"{_what(work)} failed ({event['reason']}) and {work['former']} could NOT be put back: {reason}. "
        "Correct the serving stack, then approve a package: that release puts it back first.",
    )


def _newer_left(event: Facts, item: Facts, too_new: Facts) -> Decision:
    words = error_of(too_new) or (event["record_error"] if too_new else "")
    if words:
        return failed(
            "NotRejected",
            f"{item['former']} serves again, but a newer package is still approved: {words}. The next "
            "execution of this machine finishes the rollback",
        )
    if too_new:
        execution = event["me"].rpartition(":")[2]
        return {
            "decision": "reject",
            "package": too_new["ModelPackageArn"],
            "description": f"Rolled back to version {item['version']} by the execution {execution}",
        }
    own = approved_package(event) == item["package"]
    if own or ended_execution(event):
        return done({"end": succeeded(model_package=item["package"], model=item["former"])})
    # An approval that found a dead rollback has finished it, and goes on with its own package.
    return done(again())


def _what(work: Facts) -> str:
    return f"The {'rollback to' if work.get('kind') == 'rollback' else 'release of'} {work['package']}"
