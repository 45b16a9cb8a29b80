"""The one place that names what is private in ministack and is used, replaced or added to.

ministack is pinned exactly because of this list. `verify` runs at every start and fails with one line that
names the hook; emulator/tests/unit/test_hooks.py holds it.
"""

import importlib
import importlib.metadata
import inspect

from embedded_cloud.cloudwatch import hooks as watch
from embedded_cloud.cognito import hooks as people
from embedded_cloud.eventbridge import hooks as events
from embedded_cloud.functions import hooks as functions
from embedded_cloud.ministack_hooks.hook import Hook, HookError, Module
from embedded_cloud.stepfunctions import hooks as states

__all__ = ["ALL", "MINISTACK", "REPLACED", "USED", "Hook", "HookError", "verify"]
MINISTACK = "1.5.33"


_APP = Module("ministack.app")
_ROUTER = Module("ministack.core.router")
_ACTIONS = Module("ministack.core.iam_actions")
_EVALUATOR = Module("ministack.core.iam_evaluator")
_LAMBDA = Module("ministack.core.lambda_runtime")
_EVENTS = Module("ministack.services.eventbridge")
_CODEBUILD = Module("ministack.services.codebuild")
_TLS = Module("ministack.core.tls")
_S3 = Module("ministack.services.s3")
_SFN = Module("ministack.services.stepfunctions")
_GATEWAY = Module("ministack.services.apigateway_v1")
_PROVISIONERS = Module("ministack.services.cloudformation.provisioners")
_STACKS = Module("ministack.services.cloudformation.stacks")
_ENGINE = Module("ministack.services.cloudformation.engine")
_CFN_HANDLERS = Module("ministack.services.cloudformation.handlers")
_CHANGESETS = Module("ministack.services.cloudformation.changesets")
_LAMBDA_EVENT = (
    *("api_id", "stage_name", "stage", "resource", "request_path", "method", "headers", "body"),
    *("query_params", "path_params", "binary_media_types", "authorizer_context", "caller_identity"),
)
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
    _APP.value(
        "SERVICE_HANDLERS", reason="services are added; builds of images end; each named alarm is asked for"
    ),
    _ROUTER.value("SERVICE_PATTERNS", reason="requests for the added services are recognised"),
    _ACTIONS.value("SERVICE_TO_IAM_NAMESPACE", reason="IAM enforcement knows the added services"),
    _ACTIONS.function("extract_iam_action", _REQUEST, reason="InvokeEndpoint has no X-Amz-Target"),
    _ACTIONS.function(
        "extract_resource_arn",
        (*_REQUEST, "region", "account_id"),
        reason="policies that name SageMaker resources are enforced",
    ),
    _EVALUATOR.function("is_root_access_key", ("access_key_id",), reason="only the key test is the owner's"),
    _EVALUATOR.function("_is_root_key", ("access_key_id",), reason="the owner's signature is verified too"),
    _EVALUATOR.function("resolve_caller_identity", ("access_key_id",), reason="the owner's name"),
    _EVALUATOR.function(
        "enforce",
        ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
        reason="nobody lists or makes buckets; asked also for iam:PassRole and for roles of services",
    ),
    _LAMBDA.value("Worker", reason="wheels for another processor or Python than this machine's"),
    _PROVISIONERS.value("_RESOURCE_HANDLERS", reason="CloudFormation types are added"),
    _STACKS.function(
        "_runs_on_worker_thread",
        ("resource_type",),
        reason="what waits for an endpoint or calls this cloud must not block the event loop",
    ),
    _ENGINE.function(
        "validate_template_support",
        _SUPPORT,
        reason="a reference to a resource whose Condition is false is refused, as on AWS",
    ),
    _CFN_HANDLERS.function("validate_template_support", _SUPPORT, reason="the same, as imported"),
    _CHANGESETS.function("validate_template_support", _SUPPORT, reason="the same, as imported"),
    _CHANGESETS.function(
        "_deploy_stack_async",
        (*_DEPLOY, "is_update", "previous_stack", "retain_except_on_create", "imports"),
        reason="an imported bucket exists",
    ),
    _STACKS.function("_validation_errors", _VALIDATE, reason="the same"),
    _CFN_HANDLERS.value(
        "_ACTION_HANDLERS",
        reason="a stack that changes takes no other change; SSM parameters show key and value",
    ),
    _SFN.value("_SERVICE_DISPATCH", reason="sagemaker and aws-sdk integrations are added"),
    _SFN.function("_execute_task", _TASK, reason="size limit; tasks learn of their execution"),
    _SFN.function("_execute_map", _TASK, reason="size limit"),
    _SFN.function("_execute_parallel", _TASK, reason="size limit"),
    _SFN.function("_execute_pass", ("state_def", "raw_input", "ctx"), reason="size limit"),
    _SFN.function("_invoke_resource", ("resource", "input_data"), reason="size limit of results"),
    _SFN.function(
        "_invoke_resource_with_timeout",
        ("resource", "input_data", "timeout"),
        reason="a task that times out stops its job",
    ),
    _SFN.function(
        "_fail_execution",
        ("execution", "error", "cause"),
        reason="an aborted execution stays ABORTED when its task then fails",
    ),
    _SFN.function(
        "_error_matches",
        ("error_equals", "error"),
        reason="States.ALL does not match States.DataLimitExceeded and States.Runtime",
    ),
    _SFN.function("_run_distributed_map", _MAP, reason="ItemBatcher, ResultWriter, size limit"),
    _GATEWAY.function(
        "_invoke_lambda_custom_v1", _CUSTOM, reason="AWS integrations with runtime.sagemaker and s3"
    ),
    _GATEWAY.function(
        "_invoke_mock_v1", ("integration",), reason="templates of mock integrations are rendered"
    ),
    _GATEWAY.function("_build_lambda_event_v1", _LAMBDA_EVENT, reason="a request's id reaches its Lambda"),
    _GATEWAY.function(
        "_handle_execute_in_scope",
        (*_EXECUTE, "owner_account_id", "owner_region"),
        reason="a request's id reaches its integration; size limit; access logs",
    ),
    _CODEBUILD.function("_start_build", ("data",), reason="builds are run"),
    _APP.function(
        "_enforce_execute_api",
        ("api_id", "stage", "method", "execute_path", "headers", "query_params", "iam_action"),
        reason="a denied caller is answered through the API's gateway responses",
    ),
)

USED = (
    _APP.function("app", ("scope", "receive", "send"), reason="the ASGI application"),
    _CODEBUILD.value("_builds", reason="the record of a build"),
    _CODEBUILD.value("_projects", reason="role and build specification of a project"),
    *(
        Module(f"ministack.services.{module}").value(name, reason="what exists is not made again")
        for module, name in (
            ("sns", "_topics"),
            ("eventbridge", "_rules"),
            ("cloudwatch", "_alarms"),
            ("cloudwatch", "_dashboards"),
            ("ecr", "_repositories"),
        )
    ),
    _S3.value("_bucket_tags", reason="buckets of a stack get their Tags"),
    _S3.value("_bucket_policies", reason="an imported bucket policy must be there"),
    _CHANGESETS.value("_IMPORT_LOOKUPS", reason="more types can be imported"),
    _TLS.function("resolve_tls_material", (), reason="makes the certificate"),
    _LAMBDA.function("execution_credentials", ("config",), reason="sessions of execution roles"),
    _LAMBDA.function("reset", (), reason="ends Lambda's worker processes"),
    _EVALUATOR.value("EvalResult", reason="a denial"),
    _EVALUATOR.value("_anonymous", reason="recognizes unsigned requests"),
    _EVALUATOR.function(
        "pin_request_origin",
        ("source_ip", "secure_transport"),
        reason="what a service asks for another's sake comes over TLS",
    ),
    _ROUTER.function("extract_access_key_id", ("headers", "query_params"), reason="the caller"),
    _EVENTS.function("_put_events", ("data", "allow_aws_source"), reason="events of aws.sagemaker"),
    _ENGINE.function("_intrinsic_references", ("value",), reason="references of a template"),
    _CFN_HANDLERS.function("_resolve_template", ("params",), reason="what can be imported of a template"),
    _CFN_HANDLERS.function("_parse_template", ("template_body",), reason="the same"),
    _CFN_HANDLERS.function("_resolve_stack", ("stack_name",), reason="a stack's status"),
    _CHANGESETS.function("_find_change_set", ("cs_name", "stack_name"), reason="a change set's age"),
    _CHANGESETS.function(
        "_error", ("code", "message", "status"), reason="an error response of CloudFormation"
    ),
    _SFN.value("_ExecutionError", reason="fails a task with an error and a cause"),
    _SFN.value("_executions", reason="the status of an execution"),
    _SFN.value("_state_machines", reason="the role of a state machine"),
    _SFN.value("_map_runs", reason="the ARN of a Map Run"),
    _SFN.function("_read_map_items", ("reader", "effective", "ctx"), reason="ItemReader"),
    _SFN.function("_resolve_path_or_ctx", ("path", "data", "ctx"), reason="ItemsPath"),
    _SFN.function("_resolve_params_obj", ("template", "data", "ctx"), reason="ItemSelector"),
    _SFN.function("_apply_result_selector", ("state_def", "data"), reason="ResultSelector"),
    _SFN.function("_apply_result_path", ("state_def", "original", "result"), reason="ResultPath"),
    _SFN.function("_apply_output_path", ("state_def", "data", "ctx"), reason="OutputPath"),
    _GATEWAY.function("_parse_service_integration_uri", ("uri",), reason="an integration's URI"),
    _GATEWAY.function(
        "_select_service_integration_response", ("integration", "backend_status"), reason="selection patterns"
    ),
    _GATEWAY.function(
        "_execute_in_scope",
        ("request", *_EXECUTE, "owner_account_id", "owner_region"),
        reason="answers a request up to its integration",
    ),
    _GATEWAY.value("_GatewayError", reason="an error response of API Gateway itself"),
    _GATEWAY.function("_gw_error", ("response_type", "message"), reason="makes one"),
    _GATEWAY.function("_gateway_error_response", ("error", "request"), reason="gateway responses"),
    _GATEWAY.function("stages_for_api", ("api_id",), reason="the stage of a request"),
    _GATEWAY.value("_rest_apis", reason="an API's name in its metrics"),
    _GATEWAY.function("find_api_scope", ("api_id",), reason="recognizes REST APIs"),
    _GATEWAY.function(
        "_media_type_matches", ("media_type", "binary_media_types"), reason="binary media types"
    ),
    _GATEWAY.function(
        "_iam_caller_identity", ("headers", "query_params"), reason="the caller in access logs"
    ),
    _GATEWAY.function("_resolve_api_key", ("value",), reason="the key in access logs"),
    _GATEWAY.function("_api_key_from_request", ("headers",), reason="the same"),
    _GATEWAY.function(
        "_update_stage", ("api_id", "stage_name", "data"), reason="access log settings of a stage"
    ),
    _GATEWAY.function(
        "_update_rest_api", ("api_id", "data"), reason="security policy and access mode of a REST API"
    ),
)


_PARTS = (events, functions, people, states, watch)
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
