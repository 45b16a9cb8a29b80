"""Puts the embedded cloud's parts into ministack; every name that is touched is in `hooks.py`."""

import functools
import json
from collections.abc import Callable
from typing import Any

from embedded_cloud.account import installation as account
from embedded_cloud.apigateway.access_log import AccessLog
from embedded_cloud.apigateway.lambda_events import with_request_id
from embedded_cloud.apigateway.mock_integration import with_templates
from embedded_cloud.apigateway.requests import GatewayRequests
from embedded_cloud.apigateway.rest_api_tls import with_tls
from embedded_cloud.apigateway.s3_integration import S3Integration
from embedded_cloud.apigateway.sagemaker_integration import SageMakerIntegration
from embedded_cloud.autoscaling.api import ApplicationAutoScaling
from embedded_cloud.aws import Aws
from embedded_cloud.cloudformation.installation import teach_cloudformation
from embedded_cloud.cloudformation.stage_access_logs import with_access_logs
from embedded_cloud.cloudwatch import installation as watch
from embedded_cloud.cloudwatch.recording import record
from embedded_cloud.codebuild.builds import Builds
from embedded_cloud.cognito import installation as people
from embedded_cloud.eventbridge import installation as events
from embedded_cloud.functions import installation as functions
from embedded_cloud.functions.lambda_code import with_native_wheels
from embedded_cloud.iam import enforcement, requested_rights
from embedded_cloud.iam.enforcement import authorise, role_credentials, with_further_rights
from embedded_cloud.ministack_hooks.parts import (
    apigateway_v1,
    app,
    codebuild,
    eventbridge,
    lambda_runtime,
    provisioners,
    router,
)
from embedded_cloud.request_checks import ec2_texts
from embedded_cloud.request_checks.json_requests import SERVICES, JsonService, check_json
from embedded_cloud.sagemaker.runtime import Response, invoke
from embedded_cloud.sagemaker.service import SageMaker
from embedded_cloud.settings import Settings
from embedded_cloud.stepfunctions import installation as states
from embedded_cloud.wire import json_door, json_handler, query_door, runtime_handler


def install(settings: Settings) -> SageMaker:
    """Builds the parts, patches ministack (once in a process) and returns SageMaker, to be closed at the
    end.
    """
    aws = Aws(settings=settings, role_credentials=role_credentials)
    sagemaker = SageMaker(settings=settings, aws=aws, publish_event=_publish_event)
    autoscaling = ApplicationAutoScaling(variant_exists=functools.partial(_variant_exists, sagemaker))
    _add_services(sagemaker, autoscaling)
    lambda_runtime.Worker._spawn = with_native_wheels(lambda_runtime.Worker._spawn)
    enforcement.install()
    teach_cloudformation(sagemaker, autoscaling, aws)
    watch.install(publish=_publish_event, variants=sagemaker.endpoints.variants)
    functions.install(record=record)
    events.install(aws=aws, authorise=authorise, record=record)
    states.install(aws=aws, authorise=authorise, publish=_publish_event, record=record)
    people.install()
    _teach_api_gateway(sagemaker, aws)
    _teach_codebuild(settings, aws)
    return sagemaker


def _add_services(sagemaker: SageMaker, autoscaling: ApplicationAutoScaling) -> None:
    runtime = functools.partial(_invoke, sagemaker)
    # The control plane is known by its target, the runtime by its signature (both sign as `sagemaker`).
    app.SERVICE_HANDLERS["sagemaker-control"] = with_further_rights(
        json_handler(sagemaker.call), requested_rights.further_rights
    )
    app.SERVICE_HANDLERS["monitoring"] = with_further_rights(
        app.SERVICE_HANDLERS["monitoring"], requested_rights.further_alarms
    )
    app.SERVICE_HANDLERS["ssm"] = with_further_rights(
        app.SERVICE_HANDLERS["ssm"], requested_rights.further_parameters
    )
    app.SERVICE_HANDLERS["sagemaker"] = runtime_handler(runtime)
    app.SERVICE_HANDLERS["application-autoscaling"] = json_handler(autoscaling.call)
    app.SERVICE_HANDLERS["ec2"] = query_door(app.SERVICE_HANDLERS["ec2"], ec2_texts.check_query)
    account.install()
    app.SERVICE_HANDLERS["states"] = with_further_rights(
        app.SERVICE_HANDLERS["states"], requested_rights.further_states
    )
    for name, service in SERVICES.items():
        check = functools.partial(_check_json, service)
        app.SERVICE_HANDLERS[name] = json_door(app.SERVICE_HANDLERS[name], check)
    router.SERVICE_PATTERNS["sagemaker-control"] = {"target_prefixes": ["SageMaker."]}
    router.SERVICE_PATTERNS["sagemaker"] = {"credential_scope": "sagemaker"}
    router.SERVICE_PATTERNS["application-autoscaling"] = {
        "target_prefixes": ["AnyScaleFrontendService."],
        "credential_scope": "application-autoscaling",
    }


def _check_json(service: JsonService, operation: str, body: bytes) -> None:
    check_json(service, operation=operation, body=body)


def _teach_codebuild(settings: Settings, aws: Aws) -> None:
    codebuild._start_build = Builds(
        start=codebuild._start_build,
        record=lambda build: codebuild._builds[build],
        project=lambda name: codebuild._projects[name],
        settings=settings,
        aws=aws,
    )


def _teach_api_gateway(sagemaker: SageMaker, aws: Aws) -> None:
    apigateway_v1._invoke_lambda_custom_v1 = SageMakerIntegration(
        invoke=functools.partial(_invoke, sagemaker),
        authorise=authorise,
        other=S3Integration(aws=aws, other=apigateway_v1._invoke_lambda_custom_v1),
    )
    apigateway_v1._invoke_mock_v1 = with_templates(apigateway_v1._invoke_mock_v1)
    apigateway_v1._build_lambda_event_v1 = with_request_id(apigateway_v1._build_lambda_event_v1)
    requests = GatewayRequests(execute=apigateway_v1._execute_in_scope, log=AccessLog(aws=aws), metric=record)
    apigateway_v1._handle_execute_in_scope = requests
    app._enforce_execute_api = _refusing_as_json(app._enforce_execute_api, requests)
    types = provisioners._RESOURCE_HANDLERS
    types["AWS::ApiGateway::Stage"] = with_access_logs(
        types["AWS::ApiGateway::Stage"], apigateway_v1._update_stage
    )
    types["AWS::ApiGateway::RestApi"] = with_tls(
        types["AWS::ApiGateway::RestApi"], apigateway_v1._update_rest_api
    )


def _refusing_as_json(enforce: Callable[..., Any], requests: GatewayRequests) -> Callable[..., Any]:
    """ministack answers a denied caller itself, not through the API's gateway responses."""

    def run(
        api_id: str,
        stage: str,
        method: str,
        execute_path: str,
        headers: dict[str, str],
        query_params: dict[str, Any],
        iam_action: str = "execute-api:Invoke",
    ) -> Any:
        denied = enforce(api_id, stage, method, execute_path, headers, query_params, iam_action)
        is_rest = apigateway_v1.find_api_scope(api_id) is not None
        # A failed signature is answered through the gateway responses, and with an id, already.
        if denied is None or not is_rest or "x-amzn-requestid" in denied[1]:
            return denied
        return requests.denied(api_id, stage, method, headers, query_params)

    return run


def _invoke(sagemaker: SageMaker, name: str, headers: Any, body: bytes) -> Response:
    return invoke(endpoints=sagemaker.endpoints, metric=record, name=name, headers=headers, body=body)


def _variant_exists(sagemaker: SageMaker, resource_id: str) -> bool:
    parts = resource_id.split("/")
    if len(parts) != 4:
        return False
    for endpoint in sagemaker.endpoints.store.all():
        variants = [variant["VariantName"] for variant in endpoint.get("ProductionVariants", [])]
        if endpoint["EndpointName"] == parts[1] and parts[3] in variants:
            return True
    return False


def _publish_event(entry: dict[str, Any]) -> None:
    eventbridge._put_events(
        {"Entries": [{**entry, "Detail": json.dumps(entry["Detail"])}]}, allow_aws_source=True
    )
