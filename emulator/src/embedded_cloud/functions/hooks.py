"""What of ministack's Lambda is replaced, beside the list in `ministack_hooks/hooks.py`."""

from embedded_cloud.ministack_hooks.hook import Hook, Module

_RUNTIME = Module("ministack.core.lambda_runtime")
_SERVICE = Module("ministack.services.lambda_svc")

REPLACED = (
    _RUNTIME.value("_PYTHON_WORKER_SCRIPT", reason="reports the class of an exception"),
    _RUNTIME.value("Worker", reason="what the worker reports is kept"),
    _SERVICE.function(
        "_execute_function_warm",
        ("func", "event", "request_id"),
        reason="the exception's class is the error's name",
    ),
    _SERVICE.value(
        "_execute_function_dispatch", reason="metrics of every invocation, not only of the Invoke API's"
    ),
    _SERVICE.function(
        "_emit_lambda_metrics",
        ("function_name", "duration_ms", "error", "throttle"),
        reason="the same; throttles stay",
    ),
)
USED: tuple[Hook, ...] = (
    _SERVICE.function(
        "_fetch_code_from_s3", ("bucket", "key", "version_id"), reason="a function without code is refused"
    ),
)
