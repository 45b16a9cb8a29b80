"""A blue/green update: steps of traffic, a look at the alarms while each bakes, and the way back."""

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

_LOOK_SECONDS = 0.3
LooksBad = Callable[[], str | None]
Server = TypeVar("Server")


@dataclass(kw_only=True)
class Fleets(Generic[Server]):
    """The server that answered so far, the one that is to answer, and the latter's share of the traffic."""

    blue: Server
    green: Server
    share: float = 0.0
    _draw: random.Random = field(default_factory=random.Random)

    def pick(self) -> Server:
        """The server for one request."""
        return self.green if self._draw.random() < self.share else self.blue


@dataclass(frozen=True, kw_only=True)
class Step:
    """The green fleet's share from now on, and how long that is watched, seconds."""

    share: float
    seconds: float


def steps_of(config: dict[str, Any] | None, *, instances: int) -> Iterator[Step]:
    """The steps of a DeploymentConfig; without one all traffic moves at once and nobody watches.

    The last step is the time before the blue fleet ends. `instances` says what a capacity by count means.
    """
    policy: dict[str, Any] = (config or {}).get("BlueGreenUpdatePolicy") or {}
    routing: dict[str, Any] = policy.get("TrafficRoutingConfiguration") or {}
    wait = float(routing.get("WaitIntervalInSeconds") or 0)
    kind = routing.get("Type", "ALL_AT_ONCE")
    if kind == "CANARY":
        yield Step(share=_share(routing["CanarySize"], instances), seconds=wait)
    if kind == "LINEAR":
        size = _share(routing["LinearStepSize"], instances)
        for number in range(1, math.ceil(round(1 / size, 6))):
            yield Step(share=number * size, seconds=wait)
    yield Step(share=1.0, seconds=float(policy.get("TerminationWaitInSeconds") or 0))


def roll_out(
    fleets: Fleets[Any], steps: Iterator[Step], *, looks_bad: LooksBad, longest_seconds: float
) -> str | None:
    """Moves the traffic step by step; returns None, or why all of it went back to blue.

    `looks_bad()` says what is wrong, or None. A step is watched for `longest_seconds` at most.
    """
    for step in steps:
        fleets.share = step.share
        end = time.monotonic() + min(step.seconds, longest_seconds)
        while time.monotonic() < end:
            reason = looks_bad()
            if reason:
                fleets.share = 0.0
                return reason
            time.sleep(_LOOK_SECONDS)
    return None


def alarms_of(config: dict[str, Any] | None) -> list[str]:
    """The names of the alarms that an update is rolled back by."""
    rollback: dict[str, Any] = (config or {}).get("AutoRollbackConfiguration") or {}
    alarms: list[dict[str, str]] = rollback.get("Alarms") or []
    return [alarm["AlarmName"] for alarm in alarms]


def ringing(cloudwatch: Any, names: list[str]) -> str | None:
    """Which of the alarms are in ALARM, in a sentence; None for none. `cloudwatch` is a boto3 client."""
    if not names:
        return None
    alarms = cloudwatch.describe_alarms(AlarmNames=names, StateValue="ALARM")["MetricAlarms"]
    found = sorted(alarm["AlarmName"] for alarm in alarms)
    if not found:
        return None
    return f"Deployment was rolled back because these alarms went into ALARM: {', '.join(found)}"


def _share(size: dict[str, Any], instances: int) -> float:
    value = float(size["Value"])
    share = value / 100 if size["Type"] == "CAPACITY_PERCENT" else value / max(instances, 1)
    return min(share, 1.0)
