"""API keys: one for each caller, each with its own limits."""

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.settings import Front


class CallerKeys(Construct):
    """A key for each name in the settings, and a usage plan that bounds each of them.

    API Gateway makes the values; `aws apigateway get-api-key --include-value` shows one, no template does.
    """

    def __init__(
        self, scope: Construct, id: str, *, api: apigateway.RestApi, prefix: str, settings: Front
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
