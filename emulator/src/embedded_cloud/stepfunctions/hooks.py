"""What of ministack's Step Functions is used or replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Hook

_SFN = "ministack.services.stepfunctions"
_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_LAMBDA = "ministack.services.lambda_svc"
_STATE = ("state_def", "data", "ctx")

REPLACED = (
    Hook(
        module=_SFN,
        name="handle_request",
        parameters=("method", "path", "headers", "body", "query_params"),
        reason="RedriveExecution is added",
    ),
    Hook(module=_SFN, name="_create_state_machine", parameters=("data",), reason="definitions are validated"),
    Hook(module=_SFN, name="_update_state_machine", parameters=("data",), reason="definitions are validated"),
    Hook(
        module=_SFN,
        name="_validate_state_machine_definition",
        parameters=("data",),
        reason="ministack finds every definition right",
    ),
    Hook(module=_SFN, name="_start_execution", parameters=("data",), reason="inputs and names are checked"),
    Hook(module=_SFN, name="_describe_execution", parameters=("data",), reason="says what was redriven"),
    Hook(module=_SFN, name="_list_executions", parameters=("data",), reason="an absent machine is refused"),
    Hook(
        module=_SFN,
        name="_run_parallel_branches",
        parameters=("state_def", "raw_input", "execution", "ctx"),
        reason="Arguments, Output and Assign of a Parallel state",
    ),
    Hook(
        module=_SFN,
        name="_run_execution",
        parameters=("exec_arn",),
        reason="time limit of a machine; redrive from the failed state",
    ),
    Hook(module=_SFN, name="_test_state", parameters=("data",), reason="tasks in JSONata, with a role"),
    Hook(
        module=_SFN,
        name="_emit_execution_status_event",
        parameters=("execution",),
        reason="metrics of executions; redrives in the event",
    ),
    Hook(
        module=_SFN,
        name="_find_matching_retrier",
        parameters=("retriers", "error", "retry_counts"),
        reason="MaxDelaySeconds and JitterStrategy",
    ),
    Hook(module=_SFN, name="_call_lambda", parameters=("func_ref", "event"), reason="errors by AWS's names"),
    Hook(
        module=_SFN,
        name="_evaluate_jsonata",
        parameters=("expression", "raw_input", "ctx", "result", "error_output"),
        reason="evaluations are written down where asked for",
    ),
    Hook(
        module=_PROVISIONERS,
        name="_sfn_definition",
        parameters=("props",),
        reason="definitions of stacks are validated",
    ),
)

USED = (
    Hook(
        module=_SFN,
        name="_apply_jsonata_arguments",
        parameters=("state_def", "raw_input", "ctx"),
        reason="TestState of a task, and a Parallel state, in JSONata",
    ),
    Hook(module=_SFN, name="now_iso", parameters=(), reason="times of executions"),
    Hook(module=_SFN, name="_add_event", parameters=("execution", "event_type", "details"), reason="history"),
    Hook(module=_SFN, name="_resolve_state_machine_arn", parameters=("arn",), reason="versions and aliases"),
    Hook(module=_SFN, name="_execute_choice", parameters=("state_def", "raw_input", "ctx"), reason="states"),
    Hook(module=_SFN, name="_execute_wait", parameters=("state_def", "raw_input", "ctx"), reason="states"),
    Hook(module=_SFN, name="_state_query_language", parameters=("state_def", "ctx"), reason="Succeed"),
    Hook(
        module=_SFN,
        name="_apply_jsonata_output",
        parameters=("state_def", "raw_input", "ctx", "result", "error_output", "default"),
        reason="Output of Succeed",
    ),
    Hook(
        module=_SFN,
        name="_apply_jsonata_template",
        parameters=("value", "raw_input", "ctx", "result", "error_output"),
        reason="expressions of a Distributed Map",
    ),
    Hook(
        module=_SFN,
        name="_apply_state_assign",
        parameters=("state_def", "raw_input", "ctx", "result", "error_output"),
        reason="variables of maps and parallel states",
    ),
    Hook(module=_SFN, name="_apply_input_path", parameters=_STATE, reason="InputPath of Succeed"),
    Hook(module=_SFN, name="_fail_state_error", parameters=("state_def", "raw_input", "ctx"), reason="Fail"),
    Hook(module=_LAMBDA, name="_get_func_record_for_ref", parameters=None, reason="a task's function"),
    Hook(module=_LAMBDA, name="_execution_record_for_config", parameters=None, reason="a task's function"),
    Hook(
        module=_LAMBDA,
        name="_execute_function_with_config_scope",
        parameters=("func", "event"),
        reason="calls a task's function",
    ),
)
