"""Puts the embedded cloud's parts into ministack; every name that is touched is in `hooks.py`."""

import contextvars
import functools
import json
from collections.abc import Callable
from typing import Any

from embedded_cloud.account import iam
from embedded_cloud.account import installation as account
from embedded_cloud.apigateway.access_log import AccessLog
from embedded_cloud.apigateway.lambda_events import with_request_id
from embedded_cloud.apigateway.mock_integration import with_templates
from embedded_cloud.apigateway.requests import GatewayRequests
from embedded_cloud.apigateway.rest_api_tls import with_tls
from embedded_cloud.apigateway.sagemaker_integration import SageMakerIntegration
from embedded_cloud.autoscaling.api import ApplicationAutoScaling
from embedded_cloud.aws import Aws, Credentials
from embedded_cloud.cloudformation.installation import teach_cloudformation
from embedded_cloud.cloudformation.stage_access_logs import with_access_logs
from embedded_cloud.cloudwatch import installation as watch
from embedded_cloud.cloudwatch.recording import record
from embedded_cloud.codebuild.builds import Builds
from embedded_cloud.errors import AwsError
from embedded_cloud.eventbridge import installation as events
from embedded_cloud.functions import installation as functions
from embedded_cloud.functions.lambda_code import with_native_wheels
from embedded_cloud.identity import ACCOUNT, REGION
from embedded_cloud.ministack_hooks.parts import (
    apigateway_v1,
    app,
    codebuild,
    eventbridge,
    iam_actions,
    iam_evaluator,
    lambda_runtime,
    provisioners,
    router,
)
from embedded_cloud.request_checks import credentials, ec2_texts
from embedded_cloud.request_checks.json_requests import SERVICES, JsonService, check_json
from embedded_cloud.sagemaker.runtime import Response, invoke
from embedded_cloud.sagemaker.service import SageMaker
from embedded_cloud.settings import Settings
from embedded_cloud.stepfunctions import installation as states
from embedded_cloud.wire import error_response, json_door, json_handler, query_door, runtime_handler


def install(settings: Settings) -> SageMaker:
    """Builds the parts, patches ministack (once in a process) and returns SageMaker, to be closed at the
    end.
    """
    aws = Aws(settings=settings, role_credentials=_role_credentials)
    sagemaker = SageMaker(settings=settings, aws=aws, publish_event=_publish_event)
    autoscaling = ApplicationAutoScaling(variant_exists=functools.partial(_variant_exists, sagemaker))
    _add_services(sagemaker, autoscaling)
    lambda_runtime.Worker._spawn = with_native_wheels(lambda_runtime.Worker._spawn)
    _teach_iam()
    teach_cloudformation(sagemaker, autoscaling, aws)
    watch.install(publish=_publish_event, variants=sagemaker.endpoints.variants)
    functions.install(record=record)
    events.install(aws=aws, authorise=_authorise, record=record)
    states.install(aws=aws, authorise=_authorise, publish=_publish_event, record=record)
    _teach_api_gateway(sagemaker, aws)
    _teach_codebuild(settings, aws)
    return sagemaker


def _add_services(sagemaker: SageMaker, autoscaling: ApplicationAutoScaling) -> None:
    runtime = functools.partial(_invoke, sagemaker)
    # The control plane is known by its target, the runtime by its signature (both sign as `sagemaker`).
    app.SERVICE_HANDLERS["sagemaker-control"] = _with_further_rights(
        json_handler(sagemaker.call), iam.further_rights
    )
    app.SERVICE_HANDLERS["monitoring"] = _with_further_rights(
        app.SERVICE_HANDLERS["monitoring"], iam.further_alarms
    )
    app.SERVICE_HANDLERS["ssm"] = _with_further_rights(app.SERVICE_HANDLERS["ssm"], iam.further_parameters)
    app.SERVICE_HANDLERS["sagemaker"] = runtime_handler(runtime)
    app.SERVICE_HANDLERS["application-autoscaling"] = json_handler(autoscaling.call)
    app.SERVICE_HANDLERS["ec2"] = query_door(app.SERVICE_HANDLERS["ec2"], ec2_texts.check_query)
    account.install()
    app.SERVICE_HANDLERS["states"] = _with_further_rights(app.SERVICE_HANDLERS["states"], iam.further_states)
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


def _teach_iam() -> None:
    iam_actions.SERVICE_TO_IAM_NAMESPACE.update(iam.NAMESPACES)
    action_of, arn_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def extract_iam_action(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> str | None:
        return iam.runtime_action(service, path) or action_of(
            service, method, path, headers, body, query_params
        )

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query_params: Any,
        region: str,
        account_id: str,
    ) -> str:
        own = iam.resource_arn(service=service, path=path, headers=headers, body=body)
        return own or arn_of(service, method, path, headers, body, query_params, region, account_id)

    _teach_credentials()
    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn


def _teach_credentials() -> None:
    iam_evaluator.is_root_access_key = credentials.is_owner
    iam_evaluator._is_root_key = credentials.is_exempt
    iam_evaluator.resolve_caller_identity = credentials.with_owner_known(
        iam_evaluator.resolve_caller_identity, account=lambda: ACCOUNT
    )
    iam_evaluator.enforce = credentials.refusing_nobody(
        iam_evaluator.enforce,
        is_anonymous=lambda: iam_evaluator._anonymous.get(),
        refuse=lambda: iam_evaluator.EvalResult("ImplicitDeny", principal_arn="anonymous"),
    )


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
        authorise=_authorise,
        other=apigateway_v1._invoke_lambda_custom_v1,
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


def _with_further_rights(
    handle: Callable[..., Any], rights: Callable[..., list[tuple[str, str, dict[str, str]]]]
) -> Callable[..., Any]:
    """Refuses a request whose caller has not all `rights` that it needs beside those of its action."""

    async def checked(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        for action, arn, context in rights(headers=headers, body=body):
            key, service = router.extract_access_key_id(headers, query), action.partition(":")[0]
            if iam_evaluator.enforce(key, action, service, REGION, resource_arn=arn, service_context=context):
                message = f"The caller is not authorized to perform: {action} on resource: {arn}"
                return error_response(AwsError("AccessDeniedException", message))
        return await handle(method, path, headers, body, query)

    return checked


def _authorise(role: str, action: str, arn: str) -> bool:
    if not role:
        return False
    key = _role_credentials(role, "embedded-cloud")["AWS_ACCESS_KEY_ID"]
    service = action.partition(":")[0]

    def denied() -> object:
        iam_evaluator.pin_request_origin("127.0.0.1", True)  # services speak TLS to one another
        return iam_evaluator.enforce(key, action, service, REGION, arn)

    # In a context of its own: the caller's request (perhaps unsigned) is not what is checked here.
    return contextvars.Context().run(denied) is None


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


def _role_credentials(role: str, session: str) -> Credentials:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{session}"
    return lambda_runtime.execution_credentials({"Role": role, "FunctionName": session, "FunctionArn": arn})


def _publish_event(entry: dict[str, Any]) -> None:
    eventbridge._put_events(
        {"Entries": [{**entry, "Detail": json.dumps(entry["Detail"])}]}, allow_aws_source=True
    )
