"""What the decisions of a release share: how input and errors of AWS are read, how an execution ends.

An answer of AWS comes as boto3 gives it. A call that AWS rejected has the member `Error` instead (`Code`,
`Message`); `error_of` says what it is. A decision is `{"decision": word, …}`: the word names the way in
the state machine (infra/serving/release/definition.py), the other members become its variables.
"""

from typing import Any, cast

Facts = dict[str, Any]
Decision = dict[str, Any]

NO_MODEL = "none"
# `kind` in the journal of a rollback whose model was seen to serve: only the rejecting is left to do.
ROLLED_BACK = "rolled back"


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
