"""The page in an account: who may what, held at API Gateway, and that machines' routes stay as they are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.runtime.sign_in_rights import RIGHTS, handler
from infra.settings import SettingsError, load
from infra.web.files import page_files, pages
from tests.infra.conftest import context
from tests.infra.test_api import api_template, of_type

PAGE = {"web.enabled": True, "web.waf": True}


@pytest.fixture(scope="module")
def template() -> Template:
    return api_template("dev", **PAGE)


def routes(template: Template) -> dict[str, dict[str, Any]]:
    """Every method as `VERB /path`."""
    resources = template.find_resources("AWS::ApiGateway::Resource")

    def path(parent: Any) -> str:
        if "Ref" not in parent:
            return ""
        properties = resources[parent["Ref"]]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    methods = of_type(template, "AWS::ApiGateway::Method")
    return {f"{method['HttpMethod']} {path(method['ResourceId'])}": method for method in methods}


def test_each_call_of_the_page_asks_for_the_right_of_its_own_client(template: Template) -> None:
    asked = {
        route: [scope["Fn::Join"][1] for scope in method["AuthorizationScopes"]]
        for route, method in routes(template).items()
        if method["AuthorizationType"] == "COGNITO_USER_POOLS"
    }
    (client,) = template.find_resources("AWS::Cognito::UserPoolClient")

    def rights(*names: str) -> list[Any]:
        return [[{"Ref": client}, f"/{name}"] for name in names]

    assert asked == {
        "GET /page/stage.json": rights("count", "label", "read"),
        "POST /page/count": rights("count"),
        "POST /page/labels": rights("label"),
    }
    template.has_resource_properties("AWS::ApiGateway::Authorizer", {"AuthorizerResultTtlInSeconds": 0})


def test_without_a_login_there_are_files_and_where_to_sign_in_alone(template: Template) -> None:
    opened = {route for route, method in routes(template).items() if method["AuthorizationType"] == "NONE"}
    assert opened == {"GET /page", "GET /page/page.json", *(f"GET /page/{path}" for path in page_files())}
    said = json.dumps(routes(template)["GET /page/page.json"]["Integration"]["IntegrationResponses"])
    assert "dev" not in re.sub(r"Login\w+", "", said.partition("ResponseTemplates")[2])


def test_pages_that_an_own_machine_alone_serves_are_none_of_the_account() -> None:
    """A new page is added here, or to those that stay behind (infra/web/files.py)."""
    assert pages() == ("index.html", "recount.html")
    web = Path(__file__).resolve().parents[2] / "web"
    for page in pages():
        named = set(re.findall(r'(?:href|src)="([^"#]+)"', (web / page).read_text()))
        assert named - set(page_files()) <= {"queue.html"}, page
    link = r'<a id="to-queue" href="queue.html"[^>]* hidden>'
    assert re.search(link, (web / "index.html").read_text()), "shown where the server says that it has one"


def test_each_file_is_one_object_and_the_role_may_read_those_alone(template: Template) -> None:
    integrations = [
        method["Integration"]
        for method in routes(template).values()
        if ":s3:path/" in json.dumps(method["Integration"].get("Uri", ""))
    ]
    assert len(integrations) == len(page_files())
    assert not [each for each in integrations if "{" in str(each["Uri"]["Fn::Join"][1][-1])]
    statements = [
        statement
        for policy in of_type(template, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if policy["PolicyName"].startswith("PageFilesRole")
    ]
    assert {statement["Action"] for statement in statements} == {"s3:GetObject"}
    assert "*" not in json.dumps(statements)


def test_every_answer_that_a_browser_shows_is_bound(template: Template) -> None:
    for route, method in routes(template).items():
        if not route.startswith("GET /page"):
            continue
        for response in method["Integration"]["IntegrationResponses"]:
            given = response["ResponseParameters"]
            policy = json.dumps(given["method.response.header.Content-Security-Policy"])
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, route
            assert "unsafe" not in policy and "*" not in policy and "frame-ancestors 'none'" in policy
            declared = {
                name
                for each in method["MethodResponses"]
                if each["StatusCode"] == response["StatusCode"]
                for name in each["ResponseParameters"]
            }
            assert given.keys() == declared, f"{route}: API Gateway drops what is not declared"


def test_only_an_administrator_makes_users_and_the_page_keeps_no_secret(template: Template) -> None:
    (pool,) = of_type(template, "AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert (pool["MfaConfiguration"], pool["UserPoolTier"]) == ("ON", "ESSENTIALS")
    (client,) = of_type(template, "AWS::Cognito::UserPoolClient")
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"] and client["AllowedOAuthScopes"] == ["openid"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert (client["AccessTokenValidity"], client["RefreshTokenValidity"]) == (15, 12 * 60)
    groups = {group["GroupName"] for group in of_type(template, "AWS::Cognito::UserPoolGroup")}
    assert groups == set(RIGHTS)
    (branding,) = of_type(template, "AWS::Cognito::ManagedLoginBranding")
    assert branding["UseCognitoProvidedValues"] is True
    assert api_template("dev", **PAGE, **{"web.mfa": "off"}).find_resources(
        "AWS::Cognito::UserPool", {"Properties": {"MfaConfiguration": "OFF"}}
    )


def test_the_trigger_gives_rights_of_the_asking_client_by_group_alone() -> None:
    def given(*groups: str) -> Any:
        event = {
            "callerContext": {"clientId": "abc"},
            "request": {"groupConfiguration": {"groupsToOverride": list(groups)}, "scopes": ["openid"]},
            "response": {},
        }
        answered = handler(event, None)["response"]["claimsAndScopeOverrideDetails"]
        return answered["accessTokenGeneration"]["scopesToAdd"]

    assert given("labelling", "admins", "counting") == ["abc/count", "abc/label"]
    assert given() == given("count", "abc/count") == []


def test_without_the_page_nothing_changes_nor_machines_routes_with_it(template: Template) -> None:
    bare = api_template("dev").to_json()
    assert bare == api_template("dev", **{"web.enabled": False}).to_json()
    whole = template.to_json()
    changed = {
        resource["Type"]
        for name, resource in bare["Resources"].items()
        if whole["Resources"].get(name) != resource
    }
    assert changed == {"AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"}
    for route, method in routes(api_template("dev")).items():
        assert routes(template)[route] == method


def test_each_route_of_the_page_has_the_page_s_limits() -> None:
    limited = api_template("dev", **PAGE, **{"web.requests_per_second": 3, "web.burst": 7})
    (stage,) = of_type(limited, "AWS::ApiGateway::Stage")
    limits = {
        f"{each['HttpMethod']} {each['ResourcePath'][1:].replace('~1', '/')}": each["ThrottlingRateLimit"]
        for each in stage["MethodSettings"]
        if "page" in each["ResourcePath"]
    }
    assert limits == {route: 3 for route in routes(limited) if " /page" in route}


def test_the_firewall_looks_at_the_page_s_routes_and_blocks_no_image(template: Template) -> None:
    (acl,) = of_type(template, "AWS::WAFv2::WebACL")
    assert acl["Scope"] == "REGIONAL" and acl["DefaultAction"] == {"Allow": {}}
    for rule in acl["Rules"]:
        (statement,) = rule["Statement"].values()
        match = statement["ScopeDownStatement"]["ByteMatchStatement"]
        assert (match["SearchString"], match["PositionalConstraint"]) == ("/v1/page", "STARTS_WITH")
    text = json.dumps(acl)
    assert "SizeRestrictions_BODY" in text
    without = api_template("dev", **{"web.enabled": True})
    without.resource_count_is("AWS::WAFv2::WebACL", 0)


@pytest.mark.parametrize(
    ("stage", "given", "fault"),
    [
        ("dev", {"api.enabled": False}, "served by the API"),
        ("myaws", {}, "'aws' in it"),
        ("dev", {"web.session_hours": 0}, "web.session_hours"),
    ],
)
def test_a_page_that_could_not_be_is_a_fault(stage: str, given: dict[str, Any], fault: str) -> None:
    known = context(stage=stage, **{"web.enabled": True}, **given)
    known["stages"] = {**known["stages"], "myaws": {"extends": "dev"}}
    with pytest.raises(SettingsError, match=fault):
        load(known.get)
