"""The REST API itself: region, TLS, logs and the role that writes them, limits, error responses."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.api.count_method import BINARY_TYPES
from infra.api.error_responses import answer_errors_as_json
from infra.names import API_STAGE
from infra.settings import Api
from infra.shared.logs import StageLogs
from infra.shared.nag import acknowledge

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
_ACCESS_LOG = {
    "time": "$context.requestTime",
    "request_id": "$context.requestId",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "gateway_error": "$context.error.responseType",
    "caller": "$context.identity.userArn",
    "api_key_id": "$context.identity.apiKeyId",
    "source_ip": "$context.identity.sourceIp",
    "answer_bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "endpoint_ms": "$context.integrationLatency",
}
_PERSON = {"person": "$context.authorizer.claims.sub"}


_POLICY = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class GatewayLogging(Construct):
    """Sets the region's logging role; stages depend on it, since a stage with logs is rejected without.

    API Gateway checks the role's rights when it is set, hence AWS's own policy for this one purpose.
    Role and setting outlive the stack, even one whose deployment fails: all other APIs of the account write
    their logs with it. Several stages may set it, since each one's role does and none takes it away.
    """

    def __init__(self, scope: Construct, id: str, *, api: apigateway.RestApi) -> None:
        super().__init__(scope, id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),  # pyright: ignore[reportArgumentType]
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_POLICY)],
        )
        acknowledge(
            role,
            rule=f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_POLICY}]",
            reason="API Gateway checks for these rights when the role is set",
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        # An account that never had an API rejects the setting before it has one (CloudFormation's page).
        account.node.add_dependency(api.node.default_child)
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)


# TLS 1.2 and 1.3 with forward secrecy only; such a policy asks for an access mode, and STRICT rejects
# requests whose TLS name is not this API's.
TLS_POLICY = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"


class CountApi(apigateway.RestApi):
    """Regional, without methods yet. Images are its binary media types.

    `limits` are those of single methods, by path and verb (`/labels/POST`); others have the stage's. With
    `people` the access log names who signed in, by the user pool's id.

    A body above API Gateway's 10 MB ends there (413), one above the server's limit at the server (413).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: Api,
        limits: Mapping[str, apigateway.MethodDeploymentOptions],
        log_retention_days: int,
        key: kms.Key | None,
        people: bool = False,
    ) -> None:
        access_log = StageLogs(scope, "AccessLog", days=log_retention_days, key=key)
        super().__init__(
            scope,
            id,
            rest_api_name=name,
            description="Counts objects in images of bins",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=list(BINARY_TYPES),
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=API_STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(
                    json.dumps({**_ACCESS_LOG, **(_PERSON if people else {})})
                ),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # it would write bodies into the log
                metrics_enabled=True,
                throttling_rate_limit=settings.requests_per_second,
                throttling_burst_limit=settings.burst,
                method_options=limits,
            ),
        )
        self.node.try_remove_child("Endpoint")  # the CDK's own output; the stack has ApiUrl
        resource = cast(apigateway.CfnRestApi, self.node.default_child)
        resource.security_policy = TLS_POLICY
        resource.endpoint_access_mode = "STRICT"
        answer_errors_as_json(self)
        acknowledge(self, rule="AwsSolutions-APIG2", reason="an image is no JSON document to hold to a model")
        acknowledge(self, rule="AwsSolutions-APIG3", reason="throttled; a web ACL is the account's")
        # API Gateway would make this group itself, and keep its lines without end.
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
