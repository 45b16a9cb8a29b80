"""What of ministack's Step Functions is used or replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Module

_SFN = Module("ministack.services.stepfunctions")
_PROVISIONERS = Module("ministack.services.cloudformation.provisioners")
_LAMBDA = Module("ministack.services.lambda_svc")
_STATE = ("state_def", "data", "ctx")

REPLACED = (
    _SFN.function(
        "handle_request",
        ("method", "path", "headers", "body", "query_params"),
        reason="RedriveExecution is added",
    ),
    _SFN.function("_create_state_machine", ("data",), reason="definitions are validated"),
    _SFN.function("_update_state_machine", ("data",), reason="definitions are validated"),
    _SFN.function(
        "_validate_state_machine_definition", ("data",), reason="ministack finds every definition right"
    ),
    _SFN.function("_start_execution", ("data",), reason="inputs and names are checked"),
    _SFN.function("_describe_execution", ("data",), reason="says what was redriven"),
    _SFN.function("_list_executions", ("data",), reason="an absent machine is refused"),
    _SFN.function(
        "_run_parallel_branches",
        ("state_def", "raw_input", "execution", "ctx"),
        reason="Arguments, Output and Assign of a Parallel state",
    ),
    _SFN.function(
        "_run_execution", ("exec_arn",), reason="time limit of a machine; redrive from the failed state"
    ),
    _SFN.function("_test_state", ("data",), reason="tasks in JSONata, with a role"),
    _SFN.function(
        "_emit_execution_status_event", ("execution",), reason="metrics of executions; redrives in the event"
    ),
    _SFN.function(
        "_find_matching_retrier",
        ("retriers", "error", "retry_counts"),
        reason="MaxDelaySeconds and JitterStrategy",
    ),
    _SFN.function("_call_lambda", ("func_ref", "event"), reason="errors by AWS's names"),
    _SFN.function(
        "_evaluate_jsonata",
        ("expression", "raw_input", "ctx", "result", "error_output"),
        reason="evaluations are written down where asked for",
    ),
    _PROVISIONERS.function("_sfn_definition", ("props",), reason="definitions of stacks are validated"),
)

USED = (
    _SFN.function(
        "_apply_jsonata_arguments",
        ("state_def", "raw_input", "ctx"),
        reason="TestState of a task, and a Parallel state, in JSONata",
    ),
    _SFN.function("now_iso", (), reason="times of executions"),
    _SFN.function("_add_event", ("execution", "event_type", "details"), reason="history"),
    _SFN.function("_resolve_state_machine_arn", ("arn",), reason="versions and aliases"),
    _SFN.function("_execute_choice", ("state_def", "raw_input", "ctx"), reason="states"),
    _SFN.function("_execute_wait", ("state_def", "raw_input", "ctx"), reason="states"),
    _SFN.function("_state_query_language", ("state_def", "ctx"), reason="Succeed"),
    _SFN.function(
        "_apply_jsonata_output",
        ("state_def", "raw_input", "ctx", "result", "error_output", "default"),
        reason="Output of Succeed",
    ),
    _SFN.function(
        "_apply_jsonata_template",
        ("value", "raw_input", "ctx", "result", "error_output"),
        reason="expressions of a Distributed Map",
    ),
    _SFN.function(
        "_apply_state_assign",
        ("state_def", "raw_input", "ctx", "result", "error_output"),
        reason="variables of maps and parallel states",
    ),
    _SFN.function("_apply_input_path", _STATE, reason="InputPath of Succeed"),
    _SFN.function("_fail_state_error", ("state_def", "raw_input", "ctx"), reason="Fail"),
    _LAMBDA.value("_get_func_record_for_ref", reason="a task's function"),
    _LAMBDA.value("_execution_record_for_config", reason="a task's function"),
    _LAMBDA.function(
        "_execute_function_with_config_scope", ("func", "event"), reason="calls a task's function"
    ),
)
