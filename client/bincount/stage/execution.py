"""Follows an execution of a Step Functions state machine to its end."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from bincount.errors import BincountError
from bincount.stage.stage import Stage
from bincount.texts import shortened

POLL_SECONDS = 1.0


class Execution:
    """One execution; `started` is its start in AWS's clock, `output` is there at its end.

    `client` is boto3's of Step Functions. `history` are its events as they were last looked at.
    """

    def __init__(self, *, client: Any, arn: str) -> None:
        self.arn = arn
        self._client = client
        described = self._client.describe_execution(executionArn=arn)
        self.started: datetime = described["startDate"]
        self.input: str = described.get("input", "{}")
        self.output = "{}"
        self.history: list[dict[str, Any]] = []

    @property
    def name(self) -> str:
        """The last part of its ARN."""
        return self.arn.rsplit(":", 1)[1]

    def follow(self) -> Iterator[str | None]:
        """Yields the name of each state as it is entered, and None each time after it has looked.

        Raises BincountError with AWS's cause where the execution does not succeed.
        """
        seen = 0
        state = "its start"
        while True:
            # The status first: what ends between the two looks is seen in the next round.
            answer = self._client.describe_execution(executionArn=self.arn)
            entered = self._entered()
            for state, _ in entered[seen:]:
                yield state
            seen = len(entered)
            if answer["status"] != "RUNNING":
                break
            yield None
            time.sleep(POLL_SECONDS)
        self.output = answer.get("output", "{}")
        if answer["status"] != "SUCCEEDED":
            cause = f"{cause_of(answer)}{self._cause_of_a_batch()}"
            raise BincountError(f"{self.name} ended as {answer['status']} in {state}: {cause}")

    def seconds(self) -> dict[str, float]:
        """Seconds from entering each state to entering the next one, or to the end; of loops the sum."""
        entered = self._entered()
        answer = self._client.describe_execution(executionArn=self.arn)
        ends = [moment for _, moment in entered[1:]] + [answer["stopDate"]]
        spent: dict[str, float] = {}
        for (state, began), end in zip(entered, ends, strict=True):
            spent[state] = round(spent.get(state, 0.0) + (end - began).total_seconds(), 2)
        return spent

    def _cause_of_a_batch(self) -> str:
        """Why a Distributed Map failed: only the execution of one of its batches knows.

        "" where no batch failed, or where batches may not be looked at: the execution's own cause must not be
        lost.
        """
        try:
            for run in self._client.list_map_runs(executionArn=self.arn)["mapRuns"]:
                failed = self._client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")
                for batch in failed["executions"][:1]:
                    described = self._client.describe_execution(executionArn=batch["executionArn"])
                    return f" (a batch: {cause_of(described)})"
        except (ClientError, BotoCoreError):
            # On purpose: the caller reports the execution's own cause, to which a batch's only adds. An error
            # here (a caller without rights on map runs, a lost connection) would hide that cause.
            pass
        return ""

    def _entered(self) -> list[tuple[str, datetime]]:
        """Name and moment of each state that was entered, in their order."""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        self.history = [event for page in pages for event in page["events"]]
        return [
            (event["stateEnteredEventDetails"]["name"], event["timestamp"])
            for event in self.history
            if event["type"].endswith("StateEntered")
        ]


def cause_of(execution: dict[str, Any]) -> str:
    """AWS's error and cause of an execution's description, on one line."""
    cause = shortened(_words(execution.get("cause") or "no cause was given"), 600)
    return f"{execution.get('error', '')} {cause}".strip()


def _words(cause: str) -> str:
    """A Lambda's cause is JSON with its message, a job's with its FailureReason; else the text itself."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(document, dict):
        return cause
    members = cast("dict[str, object]", document)
    return str(members.get("errorMessage") or members.get("FailureReason") or cause)


def recent(stage: Stage, machine: str, *, most: int = 20) -> list[dict[str, Any]]:
    """The last executions of a state machine, newest first, as ListExecutions has them."""
    answer = stage.client("stepfunctions").list_executions(
        stateMachineArn=stage.state_machine(machine), maxResults=most
    )
    return answer["executions"]


def is_release_of(given: str, package: str | None = None) -> bool:
    """Whether an execution's input asks to release a package (that one): by its approval, or as a rollback.

    The release machine also runs after each of its own bad ends, to put back what was left.
    """
    wanted = released_package(given)
    return wanted is not None and package in (None, wanted)


def released_package(given: str) -> str | None:
    """The ARN of the package that a release's input names; None for the follow-up of a bad end."""
    try:
        document: Any = json.loads(given)
        if "rollback" in document:
            return str(document["rollback"]["model_package"])
        return str(document["detail"]["ModelPackageArn"])
    except (ValueError, KeyError, TypeError):
        return None


def start(*, stage: Stage, machine: str, request: str) -> Execution:
    """Starts `machine` (pipeline, release, recount) with a JSON text."""
    client: Any = stage.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=stage.state_machine(machine), input=request)["executionArn"]
    return Execution(client=client, arn=arn)
