"""Alarms, topic, dashboard, budget, capture, schedules, network and keys, by setting."""

import json
import re
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from infra.settings import STAGES
from tests.infra.conftest import ROOT, synthesize
from tests.infra.machines import Templates, job_request, states_of


def _alarms(template: Template) -> dict[str, dict[str, Any]]:
    found = template.find_resources("AWS::CloudWatch::Alarm").values()
    return {alarm["Properties"]["AlarmName"]: alarm["Properties"] for alarm in found}


@pytest.mark.parametrize("stage", STAGES)
def test_every_alarm_notifies_the_topic_and_is_in_the_runbook(templates: Templates, stage: str) -> None:
    alarms = _alarms(templates[stage]["operations"])
    expected = ["endpoint-4xx", "endpoint-5xx", "endpoint-latency"]
    machines = ("pipeline", "release", "recount", "pipeline-stop", "recount-stop")
    expected += [f"{w}-{e}" for w in machines for e in ("failed", "timed-out", "aborted")]
    expected += [f"{w}-stop-undelivered" for w in ("pipeline", "recount")]
    expected += ["release-undelivered", "review-rate", "labels-5xx"]
    assert sorted(alarms) == sorted(f"bincount-{stage}-{what}" for what in expected)
    headings = re.findall("^## .*$", (ROOT / "docs" / "runbook.md").read_text(), re.M)
    sections = re.findall("`bincount-<stage>-([^`]+)`", " ".join(headings))
    assert all(len(alarm["AlarmActions"]) == 1 for alarm in alarms.values())
    for name in {**alarms, **_alarms(templates[stage]["serving"])}:
        assert name.removeprefix(f"bincount-{stage}-") in sections


@pytest.mark.parametrize("stage", STAGES)
def test_the_dashboard_shows_the_alarms_and_then_seven_graphs(templates: Templates, stage: str) -> None:
    (dashboard,) = templates[stage]["operations"].find_resources("AWS::CloudWatch::Dashboard").values()
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    alarms, *graphs = [widget["properties"] for widget in body["widgets"]]
    assert len(alarms["alarms"]) == len(_alarms(templates[stage]["operations"]))
    words = ("Requests", "Latency", "Errors", "Counts", "person", "Instances", "dollars")
    assert [word in graph["title"] for graph, word in zip(graphs, words, strict=True)] == [True] * 7
    latency, counts = json.dumps(graphs[1]["metrics"]), json.dumps(graphs[3]["metrics"])
    assert "p99 / 1000" in latency and "milliseconds" in graphs[1]["title"]
    assert [f"PR({n - 0.5}:{n + 0.5})" in counts for n in range(1, 6)] == [True] * 5
    assert all(widget["y"] + widget["height"] <= 24 for widget in body["widgets"])  # one screen


@pytest.mark.parametrize(("stage", "usd"), [("local", 200), ("dev", 200), ("prod", 2000)])
def test_the_budget_counts_what_carries_the_stages_tag(templates: Templates, stage: str, usd: int) -> None:
    found = templates[stage]["operations"].find_resources("AWS::Budgets::Budget").values()
    budgets = [budget["Properties"]["Budget"] for budget in found]
    assert [budget["BudgetLimit"]["Amount"] for budget in budgets] == [usd] * bool(usd)
    assert all(b["CostFilters"] == {"TagKeyValue": [f"user:system$bincount-{stage}"]} for b in budgets)


@pytest.mark.parametrize("stage", STAGES)
def test_every_job_carries_the_tag_that_the_budget_counts_by(templates: Templates, stage: str) -> None:
    tag = {"Key": "system", "Value": f"bincount-{stage}"}
    pipeline = states_of(templates, stage, "pipeline")
    recount = states_of(templates, stage, "recount")
    for job in (pipeline["Tune"], pipeline["Evaluate"], recount["Transform"]):
        assert tag in job_request(job)["Tags"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_answers_are_captured_and_images_are_not(templates: Templates, stage: str) -> None:
    capture = {"EnableCapture": True, "CaptureOptions": [{"CaptureMode": "Output"}]}
    templates[stage]["serving"].has_resource_properties(
        "AWS::SageMaker::EndpointConfig", {"DataCaptureConfig": Match.object_like(capture)}
    )


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_starts_by_itself_by_default(templates: Templates, stage: str) -> None:
    templates[stage]["training"].resource_count_is("AWS::Scheduler::Schedule", 0)
    rules = templates[stage]["training"].find_resources("AWS::Events::Rule").values()
    # What ends starts something: the stop of its jobs.
    assert [rule["Properties"]["EventPattern"]["source"] for rule in rules] == [["aws.states"]]


def test_settings_add_a_schedule_a_list_trigger_and_autoscaling() -> None:
    parts = synthesize(
        "local",
        **{
            "operations.retrain": "rate(7 days)",
            "operations.retrain_on_list": True,
            "operations.email": "ops@example.com",
            "serving.scale_on": "concurrency",
            "security.permissions_boundary": "Boundary",
        },
    )
    parts["training"].has_resource_properties(
        "AWS::Scheduler::Schedule", {"ScheduleExpression": "rate(7 days)"}
    )
    parts["training"].has_resource_properties(
        "AWS::Events::Rule",
        {"EventPattern": Match.object_like({"source": ["aws.s3"], "detail-type": ["Object Created"]})},
    )
    parts["data"].has_resource_properties(
        "AWS::S3::Bucket",
        {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
    )
    parts["operations"].has_resource_properties("AWS::SNS::Subscription", {"Endpoint": "ops@example.com"})
    target = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": Match.string_like_regexp("Concurrent")}
    }
    cooldowns = {"ScaleInCooldown": 300, "ScaleOutCooldown": 60}  # quick to grow, slow to shrink
    parts["serving"].has_resource_properties(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {"TargetTrackingScalingPolicyConfiguration": Match.object_like({**target, **cooldowns})},
    )
    for template in parts.values():
        for role in template.find_resources("AWS::IAM::Role").values():
            assert "PermissionsBoundary" in role["Properties"]


def test_prod_is_in_a_network_without_a_way_out(templates: Templates) -> None:
    data = templates["prod"]["data"]
    for kind in ("NatGateway", "InternetGateway"):
        data.resource_count_is(f"AWS::EC2::{kind}", 0)
    data.resource_count_is("AWS::EC2::VPCEndpoint", 6)
    templates["prod"]["serving"].has_resource_properties(
        "AWS::SageMaker::Model", {"EnableNetworkIsolation": True, "VpcConfig": Match.any_value()}
    )


def test_prods_key_rotates_and_encrypts_bucket_logs_disk_and_topic(templates: Templates) -> None:
    parts = templates["prod"]
    parts["data"].has_resource_properties("AWS::KMS::Key", {"EnableKeyRotation": True})
    groups = [g for t in parts.values() for g in t.find_resources("AWS::Logs::LogGroup").values()]
    assert groups and all("KmsKeyId" in group["Properties"] for group in groups)
    parts["serving"].has_resource_properties(
        "AWS::SageMaker::EndpointConfig", {"KmsKeyId": Match.any_value()}
    )
    parts["operations"].has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": Match.any_value()})


@pytest.mark.parametrize("stage", STAGES)
def test_services_assume_roles_for_this_account_alone(templates: Templates, stage: str) -> None:
    """Lambda and API Gateway send no source account when they assume a role (infra/stage.py)."""
    for template in templates[stage].values():
        for role in template.find_resources("AWS::IAM::Role").values():
            for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                if statement["Principal"].get("Service") not in (
                    "lambda.amazonaws.com",
                    "apigateway.amazonaws.com",
                ):
                    assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]
