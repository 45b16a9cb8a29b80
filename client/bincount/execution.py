"""Follows an execution of a Step Functions state machine to its end."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from bincount.errors import BincountError
from bincount.stage import Stage
from bincount.texts import shortened

POLL_SECONDS = 2.0


class Execution:
    """One execution; `started` is its start in AWS's clock, `output` stands at its end."""

    def __init__(self, *, stage: Stage, arn: str) -> None:
        self.arn = arn
        self._client = stage.client("stepfunctions")
        self._poll_seconds = 0.5 if stage.is_embedded else POLL_SECONDS
        self.started: datetime = self._client.describe_execution(executionArn=arn)["startDate"]
        self.output = "{}"
        self._token: str | None = None

    @property
    def name(self) -> str:
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
            for state in entered[seen:]:
                yield state
            seen = len(entered)
            if answer["status"] != "RUNNING":
                break
            yield None
            time.sleep(self._poll_seconds)
        self.output = answer.get("output", "{}")
        if answer["status"] != "SUCCEEDED":
            raise BincountError(f"{self.name} ended as {answer['status']} in {state}: {cause_of(answer)}")

    def _entered(self) -> list[str]:
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if event["type"].endswith("StateEntered")
        ]


def cause_of(execution: dict[str, Any]) -> str:
    """AWS's error and cause of an execution's description, on one line."""
    cause = shortened(_words(execution.get("cause") or "no cause was given"), 600)
    return f"{execution.get('error', '')} {cause}".strip()


def _words(cause: str) -> str:
    """A Lambda's cause is JSON with its message, a job's with its FailureReason; else the text itself."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(told, dict):
        return cause
    members = cast("dict[str, object]", told)
    return str(members.get("errorMessage") or members.get("FailureReason") or cause)


def start(*, stage: Stage, machine: str, request: str) -> Execution:
    """Starts `machine` (pipeline, recount) with a JSON text."""
    client: Any = stage.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=stage.state_machine(machine), input=request)["executionArn"]
    return Execution(stage=stage, arn=arn)
