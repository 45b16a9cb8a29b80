"""The API: its callers, and that no word of AWS's gets through."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

from infra.api.error_responses import GATEWAY_ERRORS
from infra.api.openapi import as_template, openapi
from infra.api.stack import ApiStack
from infra.settings import STAGES, SettingsError, load
from tests.infra.conftest import context, synthesize

ROOT = Path(__file__).resolve().parents[2]
CODES: set[str] = set(
    json.loads((ROOT / "docs/schemas/error.schema.json").read_text())["properties"]["error"]["properties"][
        "code"
    ]["enum"]
)

BUCKET = "the-stage-s"


@functools.cache
def api_template(stage: str, **overrides: Any) -> Template:
    """The API stack alone: it needs no other, and comes quicker so."""
    settings = load(context(stage=stage, **overrides).get)
    environment = cdk.Environment(region=settings.region)
    app = cdk.App()
    elsewhere = cdk.Stack(app, "Data", env=environment)
    bucket = s3.Bucket.from_bucket_name(elsewhere, "Bucket", BUCKET)
    stack = ApiStack(app, "Api", settings=settings, bucket=bucket, key=None, env=environment)
    return Template.from_stack(stack)


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in template.find_resources(kind).values()]


def count_method(template: Template) -> dict[str, Any]:
    methods = of_type(template, "AWS::ApiGateway::Method")
    (method,) = [m for m in methods if m["HttpMethod"] == "POST" and m["Integration"]["Type"] == "AWS"]
    return method


@pytest.mark.parametrize("stage", STAGES)
def test_every_method_asks_for_a_signature(stage: str) -> None:
    methods = of_type(api_template(stage), "AWS::ApiGateway::Method")
    assert sorted(method["HttpMethod"] for method in methods) == ["GET", "POST", "POST"]
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}


def test_with_api_keys_every_method_needs_one_and_every_caller_has_limits() -> None:
    template = api_template("dev", **{"api.auth": "api_key", "api.api_keys": '["scanner", "gate"]'})
    methods = of_type(template, "AWS::ApiGateway::Method")
    assert all(method["ApiKeyRequired"] for method in methods)
    template.resource_count_is("AWS::ApiGateway::ApiKey", 2)
    template.resource_count_is("AWS::ApiGateway::UsagePlanKey", 2)
    template.has_resource_properties(
        "AWS::ApiGateway::UsagePlan",
        {
            "Quota": {"Limit": 100_000, "Period": "DAY"},
            "Throttle": {"BurstLimit": 20, "RateLimit": 10},
            "ApiStages": Match.any_value(),
        },
    )


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"api.auth": "api_key"}, "needs at least one name"),
        ({"api.api_keys": '["a"]'}, 'are for api.auth "api_key"'),
        ({"api.auth": "api_key", "api.api_keys": '["a", "a"]'}, "must differ"),
        ({"api.burst": 0}, "api.burst"),
    ],
)
def test_settings_that_contradict_themselves_are_faults(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        load(context(stage="dev", **given).get)


def test_a_stage_can_do_without_the_api() -> None:
    assert "api" not in synthesize("dev", **{"api.enabled": "false"})


@pytest.mark.parametrize("stage", STAGES)
def test_the_api_may_invoke_its_own_endpoint_and_nothing_else(stage: str) -> None:
    without_labels = api_template(stage, **{"labels.enabled": "false"})
    policies = of_type(without_labels, "AWS::IAM::Policy")
    ((statement,),) = [policy["PolicyDocument"]["Statement"] for policy in policies]
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    assert json.dumps(statement["Resource"]).endswith(f':endpoint/bincount-{stage}"]]}}')
    uri = json.dumps(count_method(api_template(stage))["Integration"]["Uri"])
    assert f":runtime.sagemaker:path/endpoints/bincount-{stage}/invocations" in uri


def test_each_status_has_one_answer_and_only_200_passes_unchanged() -> None:
    responses = count_method(api_template("prod"))["Integration"]["IntegrationResponses"]
    patterns = [r["SelectionPattern"] for r in responses if "SelectionPattern" in r]
    assert len(patterns) == len(responses) - 1, "one has no pattern and takes all that is left"
    for status in range(200, 600):
        assert len([p for p in patterns if re.fullmatch(p, str(status))]) <= 1, status
    assert [r["SelectionPattern"] for r in responses if "ResponseTemplates" not in r] == ["200"]


def test_every_gateway_error_response_is_fixed_text_of_ours() -> None:
    responses = of_type(api_template("prod"), "AWS::ApiGateway::GatewayResponse")
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= {response["ResponseType"] for response in responses}
    for response in responses:
        text = response["ResponseTemplates"]["application/json"]
        assert re.findall(r"\$[\w.]+", text) == ["$context.requestId"], response
        assert json.loads(text)["error"]["code"] in CODES
    assert len(responses) == len(GATEWAY_ERRORS)


@pytest.mark.parametrize("stage", STAGES)
def test_the_stage_is_logged_without_bodies_and_throttled(stage: str) -> None:
    template = api_template(stage)
    template.has_resource_properties(
        "AWS::ApiGateway::Stage",
        {
            "StageName": "v1",
            "AccessLogSetting": {"Format": Match.string_like_regexp(r"\$context\.requestId")},
            "MethodSettings": Match.array_with(
                [
                    Match.object_like(
                        {
                            "HttpMethod": "*",
                            "DataTraceEnabled": False,
                            "LoggingLevel": "ERROR",
                            "ThrottlingRateLimit": Match.any_value(),
                        }
                    )
                ]
            ),
        },
    )
    template.all_resources_properties("AWS::Logs::LogGroup", {"RetentionInDays": Match.any_value()})
    template.has_resource_properties(
        "AWS::ApiGateway::RestApi",
        {
            "SecurityPolicy": "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
            "EndpointAccessMode": "STRICT",
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "BinaryMediaTypes": [
                "image/jpeg",
                "image/png",
                "image/webp",
                "image/jpg",
                "image/pjpeg",
                "image/x-png",
            ],
        },
    )


def test_the_logging_role_is_left_to_others_where_the_settings_say_so() -> None:
    template = api_template("dev", **{"api.logging_role": "false"})
    template.resource_count_is("AWS::ApiGateway::Account", 0)


def test_the_openapi_document_gives_the_template_language_nothing_to_do() -> None:
    document = openapi(url="https://example.com/v1", auth="iam", labels=True)
    text = as_template(document)
    assert not set("$#") & set(text)
    assert json.loads(text) == document


def test_the_docs_name_every_code() -> None:
    table = (ROOT / "docs" / "api.md").read_text().split("## Errors")[1]
    assert set(re.findall(r"`([a-z_]+)`", table)) >= CODES


def labels_of(template: Template) -> dict[str, Any]:
    methods = of_type(template, "AWS::ApiGateway::Method")
    (method,) = [m for m in methods if m["Integration"]["Type"] == "AWS_PROXY"]
    return method


@pytest.mark.parametrize("stage", STAGES)
def test_labels_ask_for_what_the_count_asks_for(stage: str) -> None:
    template = api_template(stage)
    for name in ("AuthorizationType", "ApiKeyRequired"):
        assert labels_of(template)[name] == count_method(template)[name]


@pytest.mark.parametrize("stage", STAGES)
def test_the_label_function_reads_and_writes_labels_and_deletes_none(stage: str) -> None:
    roles = {
        policy["Roles"][0]["Ref"]: policy["PolicyDocument"]["Statement"]
        for policy in of_type(api_template(stage), "AWS::IAM::Policy")
    }
    (statements,) = [each for role, each in roles.items() if role.startswith("Labels")]
    reached: dict[str, set[str]] = {}
    for statement in statements:
        actions, where = statement["Action"], json.dumps(statement["Resource"])
        for action in [actions] if isinstance(actions, str) else actions:
            ends = re.findall(rf":s3:::{BUCKET}(/[^\"]*)?", where)
            reached.setdefault(action, set()).update(ends or [""])
    assert reached.pop("s3:ListBucket") == {""}
    assert reached.pop("s3:GetObject") == {"/label-history/*"}
    assert reached.pop("s3:PutObject") == {"/labels/*", "/label-history/*"}
    assert not [action for action in reached if "Delete" in action or "*" in action]
    assert {action.split(":")[0] for action in reached} <= {"s3", "logs"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_labeller_may_label_and_find_the_api_alone(stage: str) -> None:
    template = api_template(stage)
    (policy,) = of_type(template, "AWS::IAM::ManagedPolicy")
    call, find = policy["PolicyDocument"]["Statement"]
    assert (call["Action"], find["Action"]) == ("execute-api:Invoke", "cloudformation:DescribeStacks")
    assert "/POST/labels" in json.dumps(call["Resource"]) and "*" not in json.dumps(call["Resource"])
    assert json.dumps(find["Resource"]).endswith(':stack/Api/*"]]}')
    template.has_output("LabellerPolicyArn", Match.any_value())


def test_with_api_keys_there_is_no_policy_to_attach() -> None:
    template = api_template("dev", **{"api.auth": "api_key", "api.api_keys": '["scanner", "gate"]'})
    template.resource_count_is("AWS::IAM::ManagedPolicy", 0)


def test_labels_have_limits_of_their_own() -> None:
    template = api_template("dev", **{"labels.requests_per_second": 3, "labels.burst": 7})
    (stage,) = of_type(template, "AWS::ApiGateway::Stage")
    (limits,) = [each for each in stage["MethodSettings"] if each["HttpMethod"] == "POST"]
    assert limits["ResourcePath"] == "/~1labels"
    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (3, 7)


def test_a_stage_can_do_without_labels() -> None:
    template = api_template("dev", **{"labels.enabled": "false"})
    methods = of_type(template, "AWS::ApiGateway::Method")
    assert sorted(method["HttpMethod"] for method in methods) == ["GET", "POST"]
    template.resource_count_is("AWS::Lambda::Function", 0)
    assert "/labels" not in openapi(url="https://example.com/v1", auth="iam", labels=False)["paths"]
