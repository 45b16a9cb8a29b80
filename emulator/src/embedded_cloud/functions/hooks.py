"""What of ministack's Lambda is replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Hook

_RUNTIME = "ministack.core.lambda_runtime"
_SERVICE = "ministack.services.lambda_svc"

REPLACED = (
    Hook(module=_RUNTIME, name="_PYTHON_WORKER_SCRIPT", reason="reports the class of an exception"),
    Hook(module=_RUNTIME, name="Worker", reason="what the worker reports is kept"),
    Hook(
        module=_SERVICE,
        name="_execute_function_warm",
        parameters=("func", "event", "request_id"),
        reason="the exception's class is the error's name",
    ),
    Hook(
        module=_SERVICE,
        name="_execute_function_dispatch",
        parameters=None,
        reason="metrics of every invocation, not only of the Invoke API's",
    ),
    Hook(
        module=_SERVICE,
        name="_emit_lambda_metrics",
        parameters=("function_name", "duration_ms", "error", "throttle"),
        reason="the same; throttles stay",
    ),
)
USED: tuple[Hook, ...] = ()
