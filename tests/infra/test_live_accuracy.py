"""How good production is: looked at by setting alone, by a function that writes summaries alone."""

import functools
import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.settings import SettingsError, load
from tests.infra.conftest import as_it_stands, context, synthesize


@functools.cache
def parts() -> dict[str, Template]:
    """The stage dev that joins labels."""
    return synthesize("dev", **{"live.enabled": True, "live.window_days": 9, "gate.min_accuracy": 0.33})


def resources(template: Template, kind: str) -> list[Any]:
    return [each["Properties"] for each in template.find_resources(kind).values()]


def alarms(template: Template) -> dict[str, Any]:
    return {each["AlarmName"]: each for each in resources(template, "AWS::CloudWatch::Alarm")}


def function() -> Any:
    handler = "monitoring.live.handler.handler"
    functions = resources(parts()["data"], "AWS::Lambda::Function")
    (found,) = [each for each in functions if each.get("Handler") == handler]
    return found


def test_without_the_setting_nothing_looks() -> None:
    stacks = as_it_stands("dev")
    functions = resources(stacks["data"], "AWS::Lambda::Function")
    assert not [each for each in functions if "live" in each.get("Handler", "")]
    assert not [name for name in alarms(stacks["operations"]) if "-live-" in name or "-capture-" in name]


def test_the_function_knows_what_the_gate_promised() -> None:
    variables = function()["Environment"]["Variables"]
    assert json.loads(variables["FLOORS"])["min_accuracy"] == 0.33
    assert variables["CAPTURED"] == "capture/bincount-dev/AllTraffic/"
    assert variables["WINDOW_DAYS"] == "9"


def test_it_runs_every_20_minutes_and_a_failed_run_rings() -> None:
    (rule,) = [r for r in resources(parts()["data"], "AWS::Events::Rule") if "ScheduleExpression" in r]
    assert rule["ScheduleExpression"] == "rate(20 minutes)"
    assert rule["Targets"][0]["DeadLetterConfig"]
    assert "bincount-dev-live-undelivered" in alarms(parts()["operations"])


def test_broken_promises_and_a_silent_capture_ring() -> None:
    found = alarms(parts()["operations"])
    for name, metric, seconds in (
        ("live-accuracy", "below_promise", 86_400),
        ("capture-stopped", "capture_missing", 1_200),
    ):
        alarm = found[f"bincount-dev-{name}"]
        assert (alarm["MetricName"], alarm["Period"], alarm["Threshold"]) == (metric, seconds, 0)
        assert alarm["Dimensions"] == [{"Name": "endpoint", "Value": "bincount-dev"}]


def test_it_writes_summaries_and_nothing_else() -> None:
    policies = resources(parts()["data"], "AWS::IAM::Policy")
    (policy,) = [p for p in policies if p["Roles"][0]["Ref"].startswith("LiveFunctionRole")]
    written: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [a for a in actions if "Delete" in a or "*" in a]
        if "s3:PutObject" in actions:
            kinds = ("capture", "images", "labels", "label-history", "live", "joined")
            written |= {kind for kind in kinds if f"/{kind}/*" in json.dumps(statement)}
    assert written == {"live", "joined"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"capture.percent": 0}, "live.enabled = true: needs answers"),
        ({"live.window_days": 30, "storage.captures_days": 30}, "live.window_days = 30: must be below"),
    ],
)
def test_what_cannot_be_joined_is_a_fault(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(context(stage="dev", **{"live.enabled": True, **wrong}).get)
