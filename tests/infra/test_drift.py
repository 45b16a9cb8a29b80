"""Drift's stack: off by default, with the least rights, and which way its nights go."""

import functools
import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.settings import SettingsError, load
from tests.infra.combinations import synthesized
from tests.infra.conftest import as_it_stands, context
from tests.infra.machine_walk import Walk, answer_of, reject, walk
from tests.judges.aws_tasks import definitions_of
from tests.judges.resolved import resolve_stacks

EVERYTHING = "dev with everything on"
PLAN: dict[str, Any] = {
    "day": "2026-11-27",
    "model": "bins-dev-1-001",
    "answers": 900,
    "images": 45,
    "manifest": "s3://bins/drift/nights/2026/11/27/images.manifest",
    "observed": "s3://bins/drift/nights/2026/11/27/observed/",
    "model_data": "s3://bins/models/1/output/model.tar.gz",
    "reason": "",
}
DRIFTED = {
    "day": "2026-11-27",
    "model": "bins-dev-1-001",
    "tested": True,
    "drifted": True,
    "summary": "darker",
}


@functools.cache
def machine() -> dict[str, Any]:
    """Drift's state machine of a stage that has everything."""
    parts = {name: {**template.to_json()} for name, template in synthesized(EVERYTHING).items()}
    stacks = resolve_stacks(parts, region="us-east-1", partition="aws").values()
    found = {name: each for stack in stacks for name, each in definitions_of(stack.template).items()}
    return found["bincount-dev-drift"]


def night(
    monkeypatch: pytest.MonkeyPatch,
    *,
    plan: dict[str, Any] = PLAN,
    found: dict[str, Any] = DRIFTED,
    given: Any = None,
    pipeline: Any = None,
) -> Walk:
    observed = answer_of(
        "DescribeProcessingJob",
        ProcessingJobName="drift-dev-1",
        ProcessingJobStatus="Completed",
        CreationTime="2026-11-28T04:00:20Z",
    )
    return walk(
        monkeypatch,
        machine(),
        name="bincount-dev-drift",
        given=given or {},
        answers={
            "Plan": plan,
            "ReadImage": {"Parameter": {"Value": "registry/server:x86"}},
            "CreateProcessingJob": {},
            "DescribeProcessingJob": observed,
            "Compare": found,
            "StartPipeline": pipeline
            or {"ExecutionArn": "arn:pipeline", "StartDate": "2026-11-28T04:05:00Z"},
        },
    )


def test_drift_starts_the_pipeline_and_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    done = night(monkeypatch)
    assert done.error is None and done.output["pipeline"] == "arn:pipeline"
    assert done.states[-3:] == ["HasDrifted", "StartPipeline", "Compared"]
    asked = done.asked["StartPipeline"]
    assert asked["StateMachineArn"].endswith(":bincount-dev-pipeline") and asked["Input"] == "{}"
    assert "bincount-dev-release" not in json.dumps(machine())


def test_the_same_drift_starts_no_second_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = reject("Sfn.ExecutionAlreadyExistsException", "Execution Already Exists")
    first, again = night(monkeypatch), night(monkeypatch, pipeline=taken)
    assert again.error is None and again.output == DRIFTED
    assert again.asked["StartPipeline"]["Name"] == first.asked["StartPipeline"]["Name"]


def test_nights_without_drift_images_or_answers_end_well(monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_was = night(monkeypatch, found={**DRIFTED, "drifted": False})
    assert as_it_was.error is None and "StartPipeline" not in as_it_was.states
    without_images = night(monkeypatch, plan={**PLAN, "images": 0})
    assert without_images.error is None and "Observe" not in without_images.states
    quiet = night(monkeypatch, plan={**PLAN, "model": None, "reason": "no answer was captured that day"})
    assert quiet.error is None and quiet.states == ["Plan", "IsAnyToCompare", "NotCompared"]


def test_a_day_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert night(monkeypatch, given={"day": "2026-11-20"}).asked["Plan"]["day"] == "2026-11-20"
    assert night(monkeypatch).asked["Plan"]["day"] is None


def resources(template: Template, kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template.find_resources(kind).items()}


def test_without_the_setting_there_is_nothing_of_it() -> None:
    found = as_it_stands("prod")["operations"].to_json()["Resources"]
    assert not [name for name in found if "Drift" in name]


def test_the_job_reads_images_and_models_and_writes_its_night_alone() -> None:
    policies = resources(synthesized(EVERYTHING)["operations"], "AWS::IAM::Policy").values()
    (job,) = [each for each in policies if "ObserverRole" in each["Roles"][0]["Ref"]]
    (function,) = [each for each in policies if "DriftFunctionRole" in each["Roles"][0]["Ref"]]
    assert _written(job) == _written(function) == {"/drift/nights/*"}
    assert "s3:Delete" not in json.dumps([job, function])


def _written(policy: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        if "s3:PutObject" in statement["Action"]:
            places = (
                statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            )
            found |= {place["Fn::Join"][1][-1] for place in places}
    return found


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"drift.enabled": True, "capture.percent": 0}, "capture.percent above 0"),
        ({"drift.enabled": True, "drift.starts_pipeline": True}, 'release.approval "manual"'),
        ({"drift.starts_pipeline": True, "release.approval": "manual"}, "drift.enabled"),
        ({"drift.nights_per_alarm": 5}, "greater than or equal to 10"),
    ],
)
def test_settings_that_cannot_work_are_faults(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        load(context(stage="dev", **given).get)
