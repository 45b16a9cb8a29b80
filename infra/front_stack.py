"""The Front stack: the API that services call over HTTPS."""

from aws_cdk import CfnOutput, Fn, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.caller_keys import CallerKeys
from infra.count_method import add_count_method
from infra.front_api import API_STAGE, FrontApi
from infra.names import Names
from infra.openapi_method import add_openapi_method
from infra.settings import Settings


class FrontStack(Stack):
    """The API, its two methods, and API keys where the settings ask for them.

    It refers to the endpoint by its name alone: neither stack waits for the other, and a release, which
    updates the Serving stack, never touches the API.
    """

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, key: kms.Key | None, **kwargs: object
    ) -> None:
        super().__init__(scope, id, **kwargs)  # pyright: ignore[reportArgumentType]
        names = Names(settings.stage)
        api = FrontApi(
            self,
            "Api",
            name=names.prefix,
            settings=settings.front,
            log_retention_days=settings.log_retention_days,
            key=key,
        )
        url = f"https://{api.rest_api_id}.execute-api.{self.region}.{self.url_suffix}/{API_STAGE}"
        with_keys = settings.front.auth == "api_key"
        options = {
            "authorization_type": (
                apigateway.AuthorizationType.NONE if with_keys else apigateway.AuthorizationType.IAM
            ),
            "api_key_required": with_keys,
        }
        count = api.root.add_resource("count")
        add_count_method(resource=count, endpoint=names.endpoint, options=options)
        document = api.root.add_resource("openapi.json")
        add_openapi_method(resource=document, url=url, auth=settings.front.auth, options=options)
        if with_keys:
            keys = CallerKeys(self, "Keys", api=api, prefix=names.prefix, settings=settings.front)
            CfnOutput(self, "ApiKeyIds", value=Fn.join(",", keys.ids))
            acknowledge(self, rule="AwsSolutions-APIG4", reason="API keys, by the settings")
        acknowledge(self, rule="AwsSolutions-COG4", reason="callers are services with IAM roles or API keys")
        CfnOutput(self, "ApiUrl", value=url)
