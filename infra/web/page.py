"""The page for people below `/page` of the API: its files, its login, what signed-in people may call."""

import json
from typing import Any

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.api.count_method import add_count_method
from infra.api.error_responses import error_template
from infra.api.labels import LabelFunction, add_label_method
from infra.names import Names
from infra.runtime.sign_in_rights import RIGHTS
from infra.settings import Settings
from infra.web.files import (
    WRITTEN,
    PageFiles,
    method_responses,
    open_to_all,
    page_files,
    pages,
    security_headers,
    static_headers,
)
from infra.web.login import Login

PATH = "page"
_STAGE = "stage.json"
_JSON = "application/json"


class WebPage(Construct):
    """The page, its login and its two calls; machines' routes stay what they are.

    `url` is the API's address, `labels` the function that takes labels where the stage has one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        api: apigateway.RestApi,
        url: str,
        labels: LabelFunction | None,
        settings: Settings,
        key: kms.Key | None,
    ) -> None:
        super().__init__(scope, id)
        names = Names(settings.stage)
        base = f"{url}/{PATH}"
        addresses = [f"{base}/{page}" for page in pages()]
        self._login = Login(scope, "Login", pages=addresses, settings=settings, key=key)
        self._headers = security_headers(login=self._login.url)
        root = api.root.add_resource(PATH)
        self._lead_to(f"{base}/index.html", root)
        PageFiles(self, "Files", root=root, headers=self._headers)
        login = {"url": self._login.url, "client": self._login.client_id}
        method = self._say(root.add_resource(WRITTEN), {"login": login})
        open_to_all(method, reason="where to sign in is no secret, and comes before anyone can")
        self._authorizer = apigateway.CognitoUserPoolsAuthorizer(
            self,
            "Authorizer",
            cognito_user_pools=[self._login.pool],
            results_cache_ttl=Duration.seconds(0),
        )
        self._answer_unauthorized(api)
        facts = {"stage": settings.stage, "labels": labels is not None}
        self._say(root.add_resource(_STAGE), facts, **self._for(*RIGHTS.values()))
        add_count_method(
            resource=root.add_resource("count"),
            endpoint=names.endpoint,
            options=self._for("count"),
            validator=apigateway.RequestValidator(
                self, "Validator", rest_api=api, validate_request_parameters=True
            ),
        )
        if labels:
            add_label_method(parent=root, function=labels, options=self._for("label"))
        CfnOutput(scope, "PageUrl", value=f"{base}/index.html")

    def _for(self, *rights: str) -> dict[str, Any]:
        """Options of a method that people with one of these rights may call.

        With scopes the authorizer takes access tokens alone.
        """
        return {
            "authorization_type": apigateway.AuthorizationType.COGNITO,
            "authorizer": self._authorizer,
            "authorization_scopes": self._login.scopes(*rights),
        }

    def _say(self, resource: apigateway.Resource, facts: dict[str, Any], **options: Any) -> apigateway.Method:
        """Let GET answer `facts`, from the API itself."""
        headers = {**self._headers, "Content-Type": _JSON, "Cache-Control": "no-store"}
        response = apigateway.IntegrationResponse(
            status_code="200",
            response_parameters=static_headers(headers),
            response_templates={_JSON: json.dumps(facts)},
        )
        return _mock(resource, response, **options)

    def _lead_to(self, address: str, resource: apigateway.Resource) -> None:
        """Let GET lead to the page: its addresses are relative, so it needs its whole path."""
        headers = static_headers({**self._headers, "Location": address})
        response = apigateway.IntegrationResponse(status_code="302", response_parameters=headers)
        open_to_all(_mock(resource, response, status=302), reason="leads to the page, which is open")

    def _answer_unauthorized(self, api: apigateway.RestApi) -> None:
        kind = apigateway.ResponseType.UNAUTHORIZED
        words = "sign in (again), or ask the operator for the group that may do this"
        template = error_template("forbidden", words)
        api.add_gateway_response("Unauthorized", type=kind, status_code="401", templates={_JSON: template})


def _mock(
    resource: apigateway.Resource,
    response: apigateway.IntegrationResponse,
    *,
    status: int = 200,
    **options: Any,
) -> apigateway.Method:
    integration = apigateway.MockIntegration(
        passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
        request_templates={_JSON: json.dumps({"statusCode": status})},
        integration_responses=[response],
    )
    given = options or {"authorization_type": apigateway.AuthorizationType.NONE}
    return resource.add_method("GET", integration, method_responses=method_responses([response]), **given)


def page_limits(settings: Settings) -> dict[str, apigateway.MethodDeploymentOptions]:
    """The throttles of the page's methods; empty where there is no page."""
    if not settings.web.enabled:
        return {}
    options = apigateway.MethodDeploymentOptions(
        throttling_rate_limit=settings.web.requests_per_second, throttling_burst_limit=settings.web.burst
    )
    routes = [f"/{PATH}/GET"]
    routes += [f"/{PATH}/{path}/GET" for path in (*page_files(), WRITTEN, _STAGE)]
    routes += [f"/{PATH}/count/POST", *([f"/{PATH}/labels/POST"] if settings.labels.enabled else [])]
    return dict.fromkeys(routes, options)
