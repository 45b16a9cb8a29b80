"""Which execution may hold the release's lock, and what it does first: pure functions, without a clock.

An answer of AWS comes as boto3 gives it. A call that AWS rejected has the member `Error` instead (`Code`,
`Message`); `error_of` says what it is. A decision is `{"decision": word, …}`: the word names the way in
the state machine (infra/serving/release/definition.py), the other members become its variables. What this
module and release_outcome.py share is at the end.
"""

from datetime import datetime
from typing import Any, cast

Facts = dict[str, Any]
Decision = dict[str, Any]

NO_MODEL = "none"
# `kind` in the journal of a rollback whose model was seen to serve: only the rejecting is left to do.
ROLLED_BACK = "rolled back"
STATUS_CHANGE = "Step Functions Execution Status Change"


def lock(event: Facts, item: Facts, holder: Facts | None, *, now: datetime) -> Decision:
    """May this execution take the lock? `take` (from `holder`, "": free), `wait`, `nothing`, `failed`.

    `item` is the lock's item, `holder` what is known of the execution that holds it (None: not looked at). An
    ended holder is put right by the execution that its end started; after `patience_seconds` anybody may.
    """
    held = item.get("holder", "")
    ended = ended_execution(event)
    if ended and STATUS_CHANGE in str(detail(event).get("input", "")):
        return nothing(f"{ended} is followed by no second restore")
    if ended and held not in (ended, event["me"]):
        return nothing(f"{ended} left nothing to put back")
    if not ended and not approved_package(event):
        return failed(
            "BadInput",
            "Expected an event (of an approval, or of a bad end), or "
            '{"rollback": {"model_package": "<ARN>"}}: nothing was changed.',
        )
    if held in ("", event["me"], ended) or _is_gone(holder, patience=event["patience_seconds"], now=now):
        return {"decision": "take", "holder": held}
    return {"decision": "wait"}


def plan(event: Facts, item: Facts, package: Facts, approved: Facts, parameter: Facts) -> Decision:
    """What the holder of the lock does: `deploy`, `settle`, `finish`, `restore`, or `done` without a change.

    A journal in the item is an ended execution's, and comes first. `package`, `approved` and `parameter` are
    empty where that, or nothing, is to be done. `work` is what is worked on: the journal's members, and of a
    package of our own `model` and `verdict`; `end` is how this ends where nothing comes in between.
    """
    if item.get("holder") != event["me"]:
        return lock_lost()
    if item.get("former"):
        return _taken_over(event, item)
    if ended_execution(event):
        return done(nothing(f"{ended_execution(event)} left nothing to put back"))
    for answer in (package, approved, parameter):
        if error_of(answer):
            return done(
                failed(
                    "NotRead",
                    f"What is known of {approved_package(event)} could not be read: nothing was changed. "
                    f"{error_of(answer)}",
                )
            )
    return _own(event, package, approved, former=parameter["Parameter"]["Value"])


def _own(event: Facts, package: Facts, approved: Facts, *, former: str) -> Decision:
    """An approved package against what serves."""
    arn, version = package["ModelPackageArn"], package["ModelPackageVersion"]
    approval, model = package["ModelApprovalStatus"], _model_data(package)
    kind = "rollback" if "rollback" in event["input"] else "release"
    # The list may lag behind: an empty one says nothing against the package that was just described.
    newest = max((row["ModelPackageVersion"] for row in approved["ModelPackageSummaryList"]), default=0)
    if approval != "Approved":
        first = ". Approve it first, then roll back to it" if kind == "rollback" else ""
        return done(nothing(f"{arn} is {approval}: nothing was changed{first}"))
    if kind == "release" and newest > version:
        return done(nothing(f"{arn} is not the newest approved one: nothing was changed"))
    if model == former and newest <= version:
        return done(nothing(f"{model} serves already: nothing was changed"))
    statistics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    verdict = statistics.get("S3Uri", "")
    if model != former and not verdict:
        words = "has no verdict of the gate: nothing was changed. Let the pipeline register it"
        return done(failed("Unevaluated", f"{arn} {words} (input: candidate)."))
    return {
        # It serves, and yet a newer one is approved: only that is to be corrected.
        "decision": "settle" if model == former else "deploy",
        "work": {
            "package": arn,
            "version": version,
            "kind": kind,
            "model": model,
            "former": former,
            "verdict": verdict,
        },
        "end": succeeded(model_package=arn, model=model),
    }


def _taken_over(event: Facts, item: Facts) -> Decision:
    """What an execution left that ended in the middle."""
    work = {
        "package": item.get("package", ""),
        "version": int(item.get("version", 0)),
        "kind": item.get("kind", "release"),
        "model": item["former"],
        "former": item["former"],
        "verdict": "",
    }
    if work["kind"] == ROLLED_BACK:
        return {"decision": "finish", "work": work}
    reason = f"the execution {event['dead']} ended before it was complete"
    return {"decision": "restore", "work": work, "reason": reason}


def _is_gone(holder: Facts | None, *, patience: int, now: datetime) -> bool:
    """Whether the execution that holds the lock is not there, or ended long enough ago."""
    if not holder:
        return False
    if error_of(holder):
        return holder["Error"]["Code"] == "ExecutionDoesNotExist"
    stop = holder.get("stopDate")
    return holder["status"] != "RUNNING" and stop is not None and (now - stop).total_seconds() > patience


def _model_data(package: Facts) -> str:
    return package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]


def approved_package(event: Facts) -> str:
    """The package that a person wants back, or whose approval started this execution; "" for none."""
    rollback: Facts = event["input"].get("rollback") or {}
    return str(rollback.get("model_package") or detail(event).get("ModelPackageArn") or "")


def ended_execution(event: Facts) -> str:
    """The execution whose bad end started this one; "" where an approval or a person did."""
    return "" if "rollback" in event["input"] else str(detail(event).get("executionArn") or "")


def detail(event: Facts) -> Facts:
    """The event's `detail`; {} where there is none."""
    found: Any = event["input"].get("detail")
    return cast("Facts", found) if isinstance(found, dict) else {}


def error_of(answer: Facts) -> str:
    """Why AWS rejected that call; "" where it did not."""
    error = answer.get("Error")
    return f"{error['Code']}: {error['Message']}" if error else ""


def failed(error: str, cause: str) -> Decision:
    """The execution fails with these words."""
    return {"decision": "failed", "end": {"outcome": "failed", "error": error, "cause": cause}}


def lock_lost() -> Decision:
    """Another execution took over: this one was redriven, or taken for dead. It must not write any more."""
    return failed("LockLost", "Another execution holds the lock by now: this one changes nothing any more.")


def succeeded(**output: str) -> Facts:
    """The end of an execution that has this output."""
    return {"outcome": "succeeded", "output": output}


def nothing(reason: str) -> Decision:
    """The execution ends well without a change, and says why."""
    return {"decision": "nothing", "end": succeeded(reason=reason)}


def again() -> Decision:
    """Another's rest is done: the execution looks at its own business from the beginning."""
    return {"end": {"outcome": "again"}}


def done(decision: Decision) -> Decision:
    """That end, once the lock is free."""
    return {**decision, "decision": "done"}
