"""Puts all of this folder into ministack's Step Functions."""

from collections.abc import Callable
from typing import Any

from embedded_cloud.aws import Aws
from embedded_cloud.ministack_hooks.parts import lambda_service, provisioners, sfn
from embedded_cloud.stepfunctions import api, execution_loop, interpreter
from embedded_cloud.stepfunctions.evaluations import Evaluations, folder
from embedded_cloud.stepfunctions.interpreter import ExecutionError
from embedded_cloud.stepfunctions.limits import check_size
from embedded_cloud.stepfunctions.maps.distributed_map import DistributedMap
from embedded_cloud.stepfunctions.parallel import in_jsonata
from embedded_cloud.stepfunctions.requests import check_definition
from embedded_cloud.stepfunctions.retrying import with_delay
from embedded_cloud.stepfunctions.status_events import PublishEvent, RecordMetric, StatusEvents
from embedded_cloud.stepfunctions.task_testing import testing
from embedded_cloud.stepfunctions.tasks.context import TaskContext, current, entered
from embedded_cloud.stepfunctions.tasks.lambda_tasks import LambdaTasks
from embedded_cloud.stepfunctions.tasks.rights import Authorise, needed, require
from embedded_cloud.stepfunctions.tasks.sagemaker_tasks import SageMakerTasks
from embedded_cloud.stepfunctions.tasks.sdk_tasks import SdkTasks

_UNCATCHABLE = ("States.DataLimitExceeded", "States.Runtime")


def install(*, aws: Aws, authorise: Authorise, publish: PublishEvent, record: RecordMetric) -> None:
    """Once in a process. `authorise(role, action, arn)` says whether a role may."""
    sfn._SERVICE_DISPATCH["arn:aws:states:::sagemaker:"] = SageMakerTasks(aws=aws, fail=ExecutionError)
    sfn._SERVICE_DISPATCH["arn:aws:states:::aws-sdk:"] = SdkTasks(aws=aws, fail=ExecutionError)
    sfn._run_parallel_branches = in_jsonata(sfn._run_parallel_branches)
    sfn._run_distributed_map = DistributedMap(run=sfn._run_distributed_map, aws=aws, authorise=authorise)
    for name in ("_execute_task", "_execute_map", "_execute_parallel"):
        setattr(sfn, name, _limited(getattr(sfn, name)))
    sfn._execute_pass = _limited_pass(sfn._execute_pass)
    sfn._invoke_resource = _limited_result(sfn._invoke_resource, authorise)
    sfn._invoke_resource_with_timeout = _telling_timeout(sfn._invoke_resource_with_timeout)
    sfn._fail_execution = _keeping_end(sfn._fail_execution)
    sfn._error_matches = _sparing_uncatchable(sfn._error_matches)
    sfn._find_matching_retrier = _delayed(sfn._find_matching_retrier)
    sfn._run_execution = execution_loop.run
    sfn._emit_execution_status_event = StatusEvents(publish=publish, record=record)
    sfn._call_lambda = LambdaTasks(
        find=lambda_service._get_func_record_for_ref,
        record=lambda_service._execution_record_for_config,
        execute=lambda_service._execute_function_with_config_scope,
        fail=ExecutionError,
    )
    record_evaluations()
    _install_operations()


def record_evaluations() -> None:
    """Where somebody asked for it (evaluations.py); once in a process."""
    target = folder()
    if target and not isinstance(sfn._evaluate_jsonata, Evaluations):
        sfn._evaluate_jsonata = Evaluations(sfn._evaluate_jsonata, target=target)


def _install_operations() -> None:
    sfn._create_state_machine = api.creating(sfn._create_state_machine)
    sfn._update_state_machine = api.updating(sfn._update_state_machine)
    sfn._start_execution = api.starting(sfn._start_execution)
    sfn._describe_execution = api.describing(sfn._describe_execution)
    sfn._list_executions = api.listing(sfn._list_executions)
    sfn._validate_state_machine_definition = api.validating
    sfn._test_state = testing(sfn._test_state)
    sfn.handle_request = api.with_redrive(sfn.handle_request)
    provisioners._sfn_definition = _validated(provisioners._sfn_definition)


def _validated(definition_of: Callable[[Any], str]) -> Callable[[Any], str]:
    """The definition of a template's state machine, refused as the resource's handler refuses it."""

    def run(properties: Any) -> str:
        definition = definition_of(properties)
        check_definition(definition)
        return definition

    return run


def _limited(execute: Callable[..., Any]) -> Callable[..., Any]:
    """A state's function with its context entered and its output limited."""

    def run(state_def: Any, raw_input: Any, execution: Any, ctx: Any) -> Any:
        role = interpreter.role_of(ctx["StateMachine"]["Id"])
        top = interpreter.execution(ctx["Execution"]["Id"]) or execution
        context = TaskContext(role=role, is_running=lambda: top["status"] == "RUNNING")
        with entered(context):
            output, following = execute(state_def, raw_input, execution, ctx)
        check_size(output, what=f"The output of the state {ctx['State']['Name']}", fail=ExecutionError)
        return output, following

    return run


def _limited_pass(execute: Callable[..., Any]) -> Callable[..., Any]:
    def run(state_def: Any, raw_input: Any, ctx: Any = None) -> Any:
        output, following = execute(state_def, raw_input, ctx)
        check_size(output, what="The output of a Pass state", fail=ExecutionError)
        return output, following

    return run


def _limited_result(invoke_resource: Callable[..., Any], authorise: Authorise) -> Callable[..., Any]:
    """A task with its input and result limited, and with the role's rights asked for."""

    def run(resource: Any, input_data: Any) -> Any:
        check_size(input_data, what=f"The input of {resource}", fail=ExecutionError)
        right = needed(resource, input_data)
        if right:
            action, arn, error = right
            require(authorise, ExecutionError, action=action, arn=arn, error=error)
        result = invoke_resource(resource, input_data)
        check_size(result, what=f"The result of {resource}", fail=ExecutionError)
        return result

    return run


def _telling_timeout(invoke_resource: Callable[..., Any]) -> Callable[..., Any]:
    def run(resource: Any, input_data: Any, timeout: Any) -> Any:
        try:
            return invoke_resource(resource, input_data, timeout)
        except ExecutionError as error:
            if error.error == "States.Timeout":
                current().timed_out.set()
            raise

    return run


def _keeping_end(fail_execution: Callable[..., Any]) -> Callable[..., Any]:
    """An execution that was stopped, or whose time was over, stays so when its task then fails."""

    def run(execution: Any, error: Any, cause: Any) -> None:
        if execution["status"] not in ("ABORTED", "TIMED_OUT"):
            fail_execution(execution, error, cause)

    return run


def _sparing_uncatchable(
    matches: Callable[[list[str], str], bool],
) -> Callable[[list[str], str], bool]:
    def run(error_equals: list[str], error: str) -> bool:
        return error in error_equals if error in _UNCATCHABLE else matches(error_equals, error)

    return run


def _delayed(find: Callable[..., Any]) -> Callable[..., Any]:
    def run(retriers: Any, error: Any, retry_counts: Any) -> Any:
        retrier, index = find(retriers, error, retry_counts)
        if retrier is None:
            return retrier, index
        return with_delay(retrier, attempt=retry_counts.get(index, 0)), index

    return run
