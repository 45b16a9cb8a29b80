"""A blue/green update: its steps by SageMaker's DeploymentConfig, and the way back."""

from typing import Any

import pytest
from embedded_cloud.hosting.rollout import Fleets, Step, roll_out, steps_of


def config(**routing: Any) -> dict[str, Any]:
    """A DeploymentConfig that waits 60 s a step and 90 s at the end."""
    routing = {"WaitIntervalInSeconds": 60, **routing}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 90}
    return {"BlueGreenUpdatePolicy": policy}


def percent(value: int) -> dict[str, Any]:
    """A capacity in percent."""
    return {"Type": "CAPACITY_PERCENT", "Value": value}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, [(1.0, 0)]),
        (config(Type="ALL_AT_ONCE"), [(1.0, 90)]),
        (config(Type="CANARY", CanarySize=percent(10)), [(0.1, 60), (1.0, 90)]),
        (config(Type="CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), [(0.25, 60), (1.0, 90)]),
        (config(Type="LINEAR", LinearStepSize=percent(50)), [(0.5, 60), (1.0, 90)]),
        (config(Type="LINEAR", LinearStepSize=percent(40)), [(0.4, 60), (0.8, 60), (1.0, 90)]),
    ],
)
def test_steps(given: dict[str, Any] | None, expected: list[tuple[float, float]]):
    assert list(steps_of(given, instances=4)) == [Step(share=s, seconds=t) for s, t in expected]


def two_steps() -> list[Step]:
    """Half of the traffic, then all of it, each watched for as long as it takes."""
    return [Step(share=0.5, seconds=60), Step(share=1.0, seconds=60)]


@pytest.mark.parametrize("looks", [1, 3])
def test_an_alarm_moves_all_traffic_back(looks: int):
    fleets = Fleets(blue="blue", green="green")
    answers = iter([None] * (looks - 1) + ["latency rings"])
    reason = roll_out(fleets, iter(two_steps()), looks_bad=lambda: next(answers), longest_seconds=60)
    assert (reason, fleets.share) == ("latency rings", 0.0)
    assert {fleets.pick() for _ in range(50)} == {"blue"}


def test_an_alarm_in_the_last_step_moves_it_back_too():
    fleets = Fleets(blue="blue", green="green")
    shares: list[float] = []

    def looks_bad() -> str | None:
        shares.append(fleets.share)
        return "errors ring" if fleets.share == 1.0 else None

    assert roll_out(fleets, iter(two_steps()), looks_bad=looks_bad, longest_seconds=0.4) == "errors ring"
    assert sorted(set(shares)) == [0.5, 1.0]
    assert fleets.share == 0.0


def test_a_quiet_rollout_ends_with_the_new_fleet():
    fleets = Fleets(blue="blue", green="green", share=0.5)
    assert {fleets.pick() for _ in range(100)} == {"blue", "green"}
    assert roll_out(fleets, iter(two_steps()), looks_bad=lambda: None, longest_seconds=0.1) is None
    assert {fleets.pick() for _ in range(50)} == {"green"}
