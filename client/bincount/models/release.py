"""Brings a version to the endpoint, by its approval or by a rollback, and reports what came of it."""

import json
import time
from collections.abc import Iterator, Set
from typing import Any

from bincount.errors import BincountError
from bincount.models.registry import APPROVED, ModelPackage, decide, find, packages, serving_model
from bincount.stage.execution import Execution, is_release_of, recent, start
from bincount.stage.stage import Stage

START_SECONDS = 120
"""So long an approval's event may take until the release begins; AWS delivers it within seconds."""


def approve(stage: Stage, *, version: int, note: str) -> Iterator[str]:
    """Approves a version and follows the release that this starts: yields what it sees, line by line.

    Raises BincountError where the release could not change anything (no such version, no verdict of the gate,
    it serves already, or a newer one is approved), before anything is written; and where the release ends
    otherwise than with this version at the endpoint. Leaving the loop early does not stop the release.
    """
    serving = serving_model(stage)  # where the stage is not deployed, this says so
    known = packages(stage)
    package = find(stage, version, known)
    _require_verdict(package)
    if package.is_approved and package.model_data == serving:
        raise BincountError(f"version {version} is approved and serves already: there is nothing to do")
    newer = _newest_approved(known)
    if package.is_approved and newer > version:
        raise BincountError(
            f"version {version} is approved, but so is the newer version {newer}, and an approval releases "
            f"the newest alone: `bincount models rollback {version} --stage {stage.name}` goes back to it"
        )
    before = {run["executionArn"] for run in recent(stage, "release")}
    after = decide(stage, package, approval=APPROVED, note=note)
    yield f"version {version} is {after.approval}"
    yield from follow(stage, package=package, before=before)


def follow(stage: Stage, *, package: ModelPackage, before: Set[str] = frozenset()) -> Iterator[str]:
    """Waits for the release that a package's approval starts, and follows it, line by line.

    `before` are ARNs of executions that are older than that approval. Raises BincountError where no release
    begins, or it ends otherwise than with this package at the endpoint.
    """
    execution = _release_of(stage, package, before)
    yield f"release {execution.name}"
    yield from _follow(stage, execution, package)


def rollback(stage: Stage, *, version: int) -> Iterator[str]:
    """Lets an older approved version serve again and follows the release machine's work, line by line.

    Newer approved versions become Rejected at the end. Raises BincountError, before anything is started, for
    a version that is not there, serves already, has no verdict, or is not approved; and where it ends badly.
    """
    serving = serving_model(stage)
    known = packages(stage)
    package = find(stage, version, known)
    _require_verdict(package)
    if not package.is_approved:
        raise BincountError(
            f"version {version} is {package.approval} ({package.reason or 'no reason given'}), and a "
            f"rollback takes an approved one: `bincount models approve {version} --stage {stage.name}` first"
        )
    if package.model_data == serving and _newest_approved(known) <= version:
        raise BincountError(f"version {version} serves already: there is nothing to go back to")
    request = json.dumps({"rollback": {"model_package": package.arn}})
    execution = start(stage=stage, machine="release", request=request)
    yield f"release {execution.name}"
    yield from _follow(stage, execution, package)


def _require_verdict(package: ModelPackage) -> None:
    if package.verdict is None:
        raise BincountError(
            f"version {package.version} has no verdict of the gate, and no release takes such a one: let the "
            "pipeline evaluate it (docs/contracts.md, Pipeline: `candidate`)"
        )


def _newest_approved(known: list[ModelPackage]) -> int:
    return max((package.version for package in known if package.is_approved), default=0)


def _release_of(stage: Stage, package: ModelPackage, before: Set[str]) -> Execution:
    """The execution that the approval started."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for run in recent(stage, "release"):
            if run["executionArn"] not in before:
                execution = Execution(client=stage.client("stepfunctions"), arn=run["executionArn"])
                if is_release_of(execution.input, package.arn):
                    return execution
        time.sleep(1)
    raise BincountError(
        f"version {package.version} is Approved, but no release of it has begun within {START_SECONDS} s: "
        f"look at `bincount status --stage {stage.name}` and at the rule that starts it "
        "(docs/troubleshooting.md)"
    )


def _follow(stage: Stage, execution: Execution, package: ModelPackage) -> Iterator[str]:
    for state in execution.follow():
        if state is not None:
            yield f"state {state}"
    result: dict[str, Any] = json.loads(execution.output)
    if "reason" in result:
        raise BincountError(
            f"version {package.version} was not released: {result['reason']}{_next(stage, package)}"
        )
    serving = serving_model(stage)
    if serving != package.model_data:
        raise BincountError(
            f"{execution.name} ended well, but {serving} serves now: another release came after it "
            f"(`bincount status --stage {stage.name}`)"
        )
    yield f"version {package.version} serves: {serving}"


def _next(stage: Stage, package: ModelPackage) -> str:
    """What a person can do where a newer version is approved."""
    if _newest_approved(packages(stage)) <= package.version:
        return ""
    return f"; `bincount models rollback {package.version} --stage {stage.name}` lets it serve"
