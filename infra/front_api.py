"""The REST API itself: region, TLS, logs, limits, and its own words for every refusal."""

from typing import cast

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.access_log import ACCESS_LOG_FORMAT
from infra.acknowledge import acknowledge
from infra.count_method import BINARY_TYPES
from infra.gateway_logging import GatewayLogging
from infra.gateway_refusals import refuse_as_json
from infra.settings import Front
from infra.stage_logs import StageLogs

API_STAGE = "v1"
# TLS 1.2 and 1.3 with forward secrecy only; such a policy asks for an access mode, and STRICT refuses
# requests whose TLS name is not this API's.
TLS_POLICY = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"


class FrontApi(apigateway.RestApi):
    """Regional, without methods yet. Images are its binary media types.

    A body above API Gateway's 10 MB ends there (413), one above the server's limit at the server (413).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: Front,
        log_retention_days: int,
        key: kms.Key | None,
    ) -> None:
        access_log = StageLogs(scope, "AccessLog", days=log_retention_days, key=key)
        super().__init__(
            scope,
            id,
            rest_api_name=name,
            description="Counts objects in photographed bins",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=list(BINARY_TYPES),
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=API_STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(ACCESS_LOG_FORMAT),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # it would write bodies into the log
                metrics_enabled=True,
                throttling_rate_limit=settings.requests_per_second,
                throttling_burst_limit=settings.burst,
            ),
        )
        self.node.try_remove_child("Endpoint")  # the CDK's own output; the stack has ApiUrl
        resource = cast(apigateway.CfnRestApi, self.node.default_child)
        resource.security_policy = TLS_POLICY
        resource.endpoint_access_mode = "STRICT"
        refuse_as_json(self)
        acknowledge(self, rule="AwsSolutions-APIG2", reason="an image is no JSON document to hold to a model")
        acknowledge(self, rule="AwsSolutions-APIG3", reason="throttled; a web ACL is the account's")
        # API Gateway would make this group itself, and keep its lines for ever.
        errors = StageLogs(
            scope,
            "ErrorLog",
            days=log_retention_days,
            key=key,
            name=f"API-Gateway-Execution-Logs_{self.rest_api_id}/{API_STAGE}",
        )
        self.deployment_stage.node.add_dependency(errors)
        if settings.logging_role:
            self.deployment_stage.node.add_dependency(GatewayLogging(scope, "Logging", api=self))
