"""The API stack: the API that services and people call over HTTPS, and a key for each caller."""

from aws_cdk import CfnOutput, Fn, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.api.count_method import add_count_method
from infra.api.labels import PATH, LabelFunction, LabellerPolicy, add_label_method
from infra.api.openapi import add_openapi_method
from infra.api.rest_api import CountApi
from infra.names import API_STAGE, Names
from infra.settings import Api, Settings
from infra.shared.nag import acknowledge
from infra.web.firewall import PageFirewall
from infra.web.page import WebPage, page_limits


class CallerKeys(Construct):
    """A key for each name in the settings, and a usage plan that bounds each of them.

    API Gateway makes the values; `aws apigateway get-api-key --include-value` shows one, no template does.
    """

    def __init__(
        self, scope: Construct, id: str, *, api: apigateway.RestApi, prefix: str, settings: Api
    ) -> None:
        super().__init__(scope, id)
        plan = api.add_usage_plan(
            "Callers",
            name=f"{prefix}-callers",
            throttle=apigateway.ThrottleSettings(
                rate_limit=settings.key_requests_per_second, burst_limit=settings.key_burst
            ),
            quota=apigateway.QuotaSettings(limit=settings.key_requests_per_day, period=apigateway.Period.DAY),
        )
        plan.add_api_stage(stage=api.deployment_stage)
        self.ids: list[str] = []
        for caller in settings.api_keys:
            key = apigateway.ApiKey(self, caller, api_key_name=f"{prefix}-{caller}")
            plan.add_api_key(key)
            self.ids.append(key.key_id)


class ApiStack(Stack):
    """The API, its methods; labels, API keys and the page for people where the settings ask for them.

    It refers to the endpoint by its name alone: neither stack waits for the other, and a release, which
    updates the Serving stack, never touches the API.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        bucket: s3.IBucket,
        key: kms.Key | None,
        **kwargs: object,
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        api = CountApi(
            self,
            "Api",
            name=names.prefix,
            settings=settings.api,
            limits={**_limits(settings), **page_limits(settings)},
            log_retention_days=settings.log_retention_days,
            key=key,
            people=settings.web.enabled,
        )
        url = f"https://{api.rest_api_id}.execute-api.{self.region}.{self.url_suffix}/{API_STAGE}"
        with_keys = settings.api.auth == "api_key"
        options = {
            "authorization_type": (
                apigateway.AuthorizationType.NONE if with_keys else apigateway.AuthorizationType.IAM
            ),
            "api_key_required": with_keys,
        }
        count = api.root.add_resource("count")
        add_count_method(resource=count, endpoint=names.endpoint, options=options)
        document = api.root.add_resource("openapi.json")
        add_openapi_method(
            resource=document,
            url=url,
            auth=settings.api.auth,
            labels=settings.labels.enabled,
            options=options,
        )
        function = None
        if settings.labels.enabled:
            function = LabelFunction(self, "Labels", settings=settings, bucket=bucket, key=key)
            method = add_label_method(parent=api.root, function=function, options=options)
            if not with_keys:
                policy = LabellerPolicy(self, "Labeller", method=method)
                CfnOutput(self, "LabellerPolicyArn", value=policy.managed_policy_arn)
        if settings.web.enabled:
            WebPage(self, "Page", api=api, url=url, labels=function, settings=settings, key=key)
            if settings.web.waf:
                name, stage = names.stack("page"), api.deployment_stage
                PageFirewall(self, "Firewall", name=name, stage=stage, settings=settings.web)
        if with_keys:
            keys = CallerKeys(self, "Keys", api=api, prefix=names.prefix, settings=settings.api)
            CfnOutput(self, "ApiKeyIds", value=Fn.join(",", keys.ids))
            acknowledge(self, rule="AwsSolutions-APIG4", reason="API keys, by the settings")
        acknowledge(self, rule="AwsSolutions-COG4", reason="callers are services with IAM roles or API keys")
        CfnOutput(self, "ApiUrl", value=url)


def _limits(settings: Settings) -> dict[str, apigateway.MethodDeploymentOptions]:
    """The throttles of single methods."""
    if not settings.labels.enabled:
        return {}
    labels = settings.labels
    options = apigateway.MethodDeploymentOptions(
        throttling_rate_limit=labels.requests_per_second, throttling_burst_limit=labels.burst
    )
    return {f"/{PATH}/POST": options}
