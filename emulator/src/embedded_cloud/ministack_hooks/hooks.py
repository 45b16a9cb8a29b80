"""The one place that names what is private in ministack and is used, replaced or added to.

ministack is pinned exactly because of this list. `verify` runs at every start and fails with one line that
names the hook; emulator/tests/unit/test_hooks.py holds it.
"""

import importlib
import importlib.metadata
import inspect

from embedded_cloud.cloudwatch import hooks as watch
from embedded_cloud.eventbridge import hooks as events
from embedded_cloud.functions import hooks as functions
from embedded_cloud.ministack_hooks.hook import Hook, HookError
from embedded_cloud.stepfunctions import hooks as states

__all__ = ["ALL", "MINISTACK", "REPLACED", "USED", "Hook", "HookError", "verify"]
MINISTACK = "1.5.33"


_APP = "ministack.app"
_ROUTER = "ministack.core.router"
_ACTIONS = "ministack.core.iam_actions"
_EVALUATOR = "ministack.core.iam_evaluator"
_LAMBDA = "ministack.core.lambda_runtime"
_EVENTS = "ministack.services.eventbridge"
_CODEBUILD = "ministack.services.codebuild"
_TLS = "ministack.core.tls"
_S3 = "ministack.services.s3"
_SFN = "ministack.services.stepfunctions"
_GATEWAY = "ministack.services.apigateway_v1"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_STACKS = "ministack.services.cloudformation.stacks"
_ENGINE = "ministack.services.cloudformation.engine"
_CFN_HANDLERS = "ministack.services.cloudformation.handlers"
_CHANGESETS = "ministack.services.cloudformation.changesets"
_REQUEST = ("service", "method", "path", "headers", "body", "query_params")
_TASK = ("state_def", "raw_input", "execution", "ctx")
_SUPPORT = ("template", "conditions", "params")
_DEPLOY = ("stack_name", "stack_id", "template", "param_values", "disable_rollback", "tags")
_VALIDATE = (
    *("resources_defs", "ordered", "param_values", "conditions", "mappings", "stack_name", "stack_id"),
    "owned_buckets",
)
_MAP = ("state_def", "raw_input", "effective", "iterator", "execution", "ctx")
_EXECUTE = ("api_id", "stage_name", "method", "path", "headers", "body", "query_params")
_CUSTOM = (
    "integration",
    "api_id",
    "stage_name",
    "stage",
    "resource",
    "request_path",
    "method",
    "headers",
    "body",
    "query_params",
    "path_params",
    "owner_account_id",
    "owner_region",
    "binary_media_types",
    "authorizer_context",
    "caller_identity",
)

REPLACED = (
    Hook(
        module=_APP,
        name="SERVICE_HANDLERS",
        reason="services are added; builds of images end; each named alarm is asked for",
    ),
    Hook(module=_ROUTER, name="SERVICE_PATTERNS", reason="requests for the added services are recognised"),
    Hook(module=_ACTIONS, name="SERVICE_TO_IAM_NAMESPACE", reason="IAM enforcement knows the added services"),
    Hook(
        module=_ACTIONS,
        name="extract_iam_action",
        parameters=_REQUEST,
        reason="InvokeEndpoint has no X-Amz-Target",
    ),
    Hook(
        module=_ACTIONS,
        name="extract_resource_arn",
        parameters=(*_REQUEST, "region", "account_id"),
        reason="policies that name SageMaker resources are enforced",
    ),
    Hook(
        module=_EVALUATOR,
        name="is_root_access_key",
        parameters=("access_key_id",),
        reason="only the key test is the owner's",
    ),
    Hook(
        module=_EVALUATOR,
        name="_is_root_key",
        parameters=("access_key_id",),
        reason="the owner's signature is verified too",
    ),
    Hook(
        module=_EVALUATOR,
        name="resolve_caller_identity",
        parameters=("access_key_id",),
        reason="the owner's name",
    ),
    Hook(
        module=_EVALUATOR,
        name="enforce",
        parameters=("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
        reason="nobody lists or makes buckets; asked also for iam:PassRole and for roles of services",
    ),
    Hook(module=_LAMBDA, name="Worker", reason="wheels for another processor or Python than this machine's"),
    Hook(module=_PROVISIONERS, name="_RESOURCE_HANDLERS", reason="CloudFormation types are added"),
    Hook(
        module=_STACKS,
        name="_runs_on_worker_thread",
        parameters=("resource_type",),
        reason="what waits for an endpoint or calls this cloud must not block the event loop",
    ),
    Hook(
        module=_ENGINE,
        name="validate_template_support",
        parameters=_SUPPORT,
        reason="a reference to a resource whose Condition is false is refused, as on AWS",
    ),
    Hook(
        module=_CFN_HANDLERS,
        name="validate_template_support",
        parameters=_SUPPORT,
        reason="the same, as imported",
    ),
    Hook(
        module=_CHANGESETS,
        name="validate_template_support",
        parameters=_SUPPORT,
        reason="the same, as imported",
    ),
    Hook(
        module=_CHANGESETS,
        name="_deploy_stack_async",
        parameters=(*_DEPLOY, "is_update", "previous_stack", "retain_except_on_create", "imports"),
        reason="an imported bucket exists",
    ),
    Hook(module=_STACKS, name="_validation_errors", parameters=_VALIDATE, reason="the same"),
    Hook(
        module=_CFN_HANDLERS,
        name="_ACTION_HANDLERS",
        reason="a stack that changes takes no other change; SSM parameters show key and value",
    ),
    Hook(module=_SFN, name="_SERVICE_DISPATCH", reason="sagemaker and aws-sdk integrations are added"),
    Hook(
        module=_SFN,
        name="_execute_task",
        parameters=_TASK,
        reason="size limit; tasks learn of their execution",
    ),
    Hook(module=_SFN, name="_execute_map", parameters=_TASK, reason="size limit"),
    Hook(module=_SFN, name="_execute_parallel", parameters=_TASK, reason="size limit"),
    Hook(
        module=_SFN, name="_execute_pass", parameters=("state_def", "raw_input", "ctx"), reason="size limit"
    ),
    Hook(
        module=_SFN,
        name="_invoke_resource",
        parameters=("resource", "input_data"),
        reason="size limit of results",
    ),
    Hook(
        module=_SFN,
        name="_invoke_resource_with_timeout",
        parameters=("resource", "input_data", "timeout"),
        reason="a task that times out stops its job",
    ),
    Hook(
        module=_SFN,
        name="_fail_execution",
        parameters=("execution", "error", "cause"),
        reason="an aborted execution stays ABORTED when its task then fails",
    ),
    Hook(
        module=_SFN,
        name="_error_matches",
        parameters=("error_equals", "error"),
        reason="States.ALL does not match States.DataLimitExceeded and States.Runtime",
    ),
    Hook(
        module=_SFN,
        name="_run_distributed_map",
        parameters=_MAP,
        reason="ItemBatcher, ResultWriter, size limit",
    ),
    Hook(
        module=_GATEWAY,
        name="_invoke_lambda_custom_v1",
        parameters=_CUSTOM,
        reason="AWS integrations with runtime.sagemaker",
    ),
    Hook(
        module=_GATEWAY,
        name="_invoke_mock_v1",
        parameters=("integration",),
        reason="templates of mock integrations are rendered",
    ),
    Hook(
        module=_GATEWAY,
        name="_handle_execute_in_scope",
        parameters=(*_EXECUTE, "owner_account_id", "owner_region"),
        reason="a request's id reaches its integration; size limit; access logs",
    ),
    Hook(module=_CODEBUILD, name="_start_build", parameters=("data",), reason="builds are run"),
    Hook(
        module=_APP,
        name="_enforce_execute_api",
        parameters=("api_id", "stage", "method", "execute_path", "headers", "query_params", "iam_action"),
        reason="a denied caller is answered through the API's gateway responses",
    ),
)

USED = (
    Hook(module=_APP, name="app", parameters=("scope", "receive", "send"), reason="the ASGI application"),
    Hook(module=_CODEBUILD, name="_builds", reason="the record of a build"),
    Hook(module=_CODEBUILD, name="_projects", reason="role and build specification of a project"),
    *(
        Hook(module=f"ministack.services.{module}", name=name, reason="what exists is not made again")
        for module, name in (
            ("sns", "_topics"),
            ("eventbridge", "_rules"),
            ("cloudwatch", "_alarms"),
            ("cloudwatch", "_dashboards"),
            ("ecr", "_repositories"),
        )
    ),
    Hook(module=_S3, name="_bucket_tags", reason="buckets of a stack get their Tags"),
    Hook(module=_S3, name="_bucket_policies", reason="an imported bucket policy must be there"),
    Hook(module=_CHANGESETS, name="_IMPORT_LOOKUPS", reason="more types can be imported"),
    Hook(module=_TLS, name="resolve_tls_material", parameters=(), reason="makes the certificate"),
    Hook(
        module=_LAMBDA,
        name="execution_credentials",
        parameters=("config",),
        reason="sessions of execution roles",
    ),
    Hook(module=_LAMBDA, name="reset", parameters=(), reason="ends Lambda's worker processes"),
    Hook(module=_EVALUATOR, name="EvalResult", reason="a denial"),
    Hook(module=_EVALUATOR, name="_anonymous", reason="recognizes unsigned requests"),
    Hook(
        module=_EVALUATOR,
        name="pin_request_origin",
        parameters=("source_ip", "secure_transport"),
        reason="what a service asks for another's sake comes over TLS",
    ),
    Hook(
        module=_ROUTER,
        name="extract_access_key_id",
        parameters=("headers", "query_params"),
        reason="the caller",
    ),
    Hook(
        module=_EVENTS,
        name="_put_events",
        parameters=("data", "allow_aws_source"),
        reason="events of aws.sagemaker",
    ),
    Hook(
        module=_ENGINE, name="_intrinsic_references", parameters=("value",), reason="references of a template"
    ),
    Hook(
        module=_CFN_HANDLERS,
        name="_resolve_template",
        parameters=("params",),
        reason="what can be imported of a template",
    ),
    Hook(module=_CFN_HANDLERS, name="_parse_template", parameters=("template_body",), reason="the same"),
    Hook(module=_CFN_HANDLERS, name="_resolve_stack", parameters=("stack_name",), reason="a stack's status"),
    Hook(
        module=_CHANGESETS,
        name="_find_change_set",
        parameters=("cs_name", "stack_name"),
        reason="a change set's age",
    ),
    Hook(
        module=_CHANGESETS,
        name="_error",
        parameters=("code", "message", "status"),
        reason="an error response of CloudFormation",
    ),
    Hook(module=_SFN, name="_ExecutionError", reason="fails a task with an error and a cause"),
    Hook(module=_SFN, name="_executions", reason="the status of an execution"),
    Hook(module=_SFN, name="_state_machines", reason="the role of a state machine"),
    Hook(module=_SFN, name="_map_runs", reason="the ARN of a Map Run"),
    Hook(module=_SFN, name="_read_map_items", parameters=("reader", "effective", "ctx"), reason="ItemReader"),
    Hook(module=_SFN, name="_resolve_path_or_ctx", parameters=("path", "data", "ctx"), reason="ItemsPath"),
    Hook(
        module=_SFN, name="_resolve_params_obj", parameters=("template", "data", "ctx"), reason="ItemSelector"
    ),
    Hook(
        module=_SFN, name="_apply_result_selector", parameters=("state_def", "data"), reason="ResultSelector"
    ),
    Hook(
        module=_SFN,
        name="_apply_result_path",
        parameters=("state_def", "original", "result"),
        reason="ResultPath",
    ),
    Hook(
        module=_SFN, name="_apply_output_path", parameters=("state_def", "data", "ctx"), reason="OutputPath"
    ),
    Hook(
        module=_GATEWAY,
        name="_parse_service_integration_uri",
        parameters=("uri",),
        reason="an integration's URI",
    ),
    Hook(
        module=_GATEWAY,
        name="_select_service_integration_response",
        parameters=("integration", "backend_status"),
        reason="selection patterns",
    ),
    Hook(
        module=_GATEWAY,
        name="_execute_in_scope",
        parameters=("request", *_EXECUTE, "owner_account_id", "owner_region"),
        reason="answers a request up to its integration",
    ),
    Hook(module=_GATEWAY, name="_GatewayError", reason="an error response of API Gateway itself"),
    Hook(module=_GATEWAY, name="_gw_error", parameters=("response_type", "message"), reason="makes one"),
    Hook(
        module=_GATEWAY,
        name="_gateway_error_response",
        parameters=("error", "request"),
        reason="gateway responses",
    ),
    Hook(module=_GATEWAY, name="stages_for_api", parameters=("api_id",), reason="the stage of a request"),
    Hook(module=_GATEWAY, name="_rest_apis", reason="an API's name in its metrics"),
    Hook(module=_GATEWAY, name="find_api_scope", parameters=("api_id",), reason="recognizes REST APIs"),
    Hook(
        module=_GATEWAY,
        name="_media_type_matches",
        parameters=("media_type", "binary_media_types"),
        reason="binary media types",
    ),
    Hook(
        module=_GATEWAY,
        name="_iam_caller_identity",
        parameters=("headers", "query_params"),
        reason="the caller in access logs",
    ),
    Hook(module=_GATEWAY, name="_resolve_api_key", parameters=("value",), reason="the key in access logs"),
    Hook(module=_GATEWAY, name="_api_key_from_request", parameters=("headers",), reason="the same"),
    Hook(
        module=_GATEWAY,
        name="_update_stage",
        parameters=("api_id", "stage_name", "data"),
        reason="access log settings of a stage",
    ),
    Hook(
        module=_GATEWAY,
        name="_update_rest_api",
        parameters=("api_id", "data"),
        reason="security policy and access mode of a REST API",
    ),
)


_PARTS = (events, functions, states, watch)
ALL = REPLACED + USED + tuple(hook for part in _PARTS for hook in part.REPLACED + part.USED)


def verify(hooks: tuple[Hook, ...] = ALL, *, version: str = MINISTACK) -> None:
    """Raises HookError with one line where ministack's version or one of `hooks` is not as expected."""
    installed = importlib.metadata.version("ministack")
    if installed != version:
        raise HookError(
            f"the embedded cloud needs ministack {version} exactly, found {installed}: "
            f"install requirements-dev.txt, or review ministack_hooks/hooks.py against {installed}"
        )
    for hook in hooks:
        _verify_one(hook)


def _verify_one(hook: Hook) -> None:
    where = f"{hook.module}.{hook.name} ({hook.reason})"
    module = importlib.import_module(hook.module)
    if not hasattr(module, hook.name):
        raise HookError(f"ministack has no {where}: review ministack_hooks/hooks.py")
    if hook.parameters is None:
        return
    found = tuple(inspect.signature(getattr(module, hook.name)).parameters)
    if found != hook.parameters:
        raise HookError(
            f"ministack's {where} takes {found}, expected {hook.parameters}: review ministack_hooks/hooks.py"
        )
