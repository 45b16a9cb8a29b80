"""Puts this folder into ministack's Lambda."""

from embedded_cloud.cloudformation.checked_types import checked
from embedded_cloud.functions.deployed_code import with_code
from embedded_cloud.functions.errors import named_by_class, telling_class, with_error_class
from embedded_cloud.functions.metrics import RecordMetric, counted, only_throttles
from embedded_cloud.ministack_hooks.parts import lambda_runtime, lambda_service, provisioners


def install(*, record: RecordMetric) -> None:
    """Once in a process; `record(namespace, name, value, unit, dimensions)` takes a metric's value."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = with_error_class(lambda_runtime._PYTHON_WORKER_SCRIPT)
    lambda_runtime.Worker.invoke = telling_class(lambda_runtime.Worker.invoke)
    lambda_service._execute_function_warm = named_by_class(lambda_service._execute_function_warm)
    lambda_service._execute_function_dispatch = counted(lambda_service._execute_function_dispatch, record)
    lambda_service._emit_lambda_metrics = only_throttles(record)
    name = "AWS::Lambda::Function"
    check = with_code(lambda_service._fetch_code_from_s3)
    provisioners._RESOURCE_HANDLERS[name] = checked(name, provisioners._RESOURCE_HANDLERS[name], check)
