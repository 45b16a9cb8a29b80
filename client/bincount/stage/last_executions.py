"""The last execution of each of a stage's state machines, with its cause where it went wrong."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bincount.stage.execution import cause_of, recent, released_package
from bincount.stage.stage import Stage

BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LastExecution:
    """`subject` says what it was about (a release's package), `words` why it went wrong or did nothing."""

    name: str
    status: str
    started: datetime
    subject: str = ""
    words: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether it ended without success."""
        return self.status in BAD_ENDS

    def shown(self) -> str:
        """`FAILED, started 2026-11-27 15:20 UTC, version 2: why`."""
        when = f"{self.started.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        about = f", {self.subject}" if self.subject else ""
        return f"{self.status}, started {when}{about}{f': {self.words}' if self.words else ''}"


def last_execution(stage: Stage, machine: str) -> LastExecution | None:
    """The newest execution of `pipeline` or `recount`; None where there was none."""
    for run in recent(stage, machine, most=1):
        return _read(_describe(stage, run))
    return None


def last_release(stage: Stage) -> tuple[LastExecution | None, LastExecution | None]:
    """The last release of a package, and the last follow-up of a bad end where that went wrong as well.

    An execution that only found that nothing was to be done is taken where there is no other: SageMaker
    reports every edit of an approved package.
    """
    idle: LastExecution | None = None
    follow_up: LastExecution | None = None
    for number, run in enumerate(recent(stage, "release", most=_LOOKED_AT)):
        described = _describe(stage, run)
        package = released_package(described.get("input", ""))
        found = _read(described, subject="" if package is None else f"version {package.rsplit('/', 1)[1]}")
        if package is None:
            if number == 0 and found.is_bad:
                follow_up = found
            continue
        if found.status == "SUCCEEDED" and found.words:
            idle = idle or found
            continue
        return found, follow_up
    return idle, follow_up


def _describe(stage: Stage, run: dict[str, Any]) -> dict[str, Any]:
    try:
        return stage.client("stepfunctions").describe_execution(executionArn=run["executionArn"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return run  # Step Functions forgets after 90 days


def _read(execution: dict[str, Any], *, subject: str = "") -> LastExecution:
    words = ""
    if execution["status"] in BAD_ENDS:
        words = cause_of(execution)
    elif execution["status"] == "SUCCEEDED":
        words = _reason(execution.get("output", "{}"))
    return LastExecution(
        name=execution["name"],
        status=execution["status"],
        started=execution["startDate"],
        subject=subject,
        words=words,
    )


def _reason(output: str) -> str:
    """Why a release changed nothing, or what the gate said at the end of a pipeline."""
    document: Any = json.loads(output)
    try:
        verdict = document.get("verdict")
        if verdict is not None:
            if verdict["accepted"]:
                return "accepted by the gate"
            return f"rejected: {'; '.join(verdict['reasons'])}"
        return str(document.get("reason", ""))
    except (AttributeError, KeyError, TypeError):
        return ""  # the output of a machine of another version
