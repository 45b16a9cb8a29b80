"""A failed Lambda function's error as AWS reports it: the exception's class is the error's name.

ministack's worker reports only the exception's text. Its script is changed to report the class and the stack,
which reach the invocation's answer as `errorType` and `stackTrace`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_REPORTED: ContextVar[dict[str, Any] | None] = ContextVar("lambda_error", default=None)
_RAISED = '"error": str(e), "trace": traceback.format_exc()}'
_RAISED_WITH_CLASS = (
    '"error": str(e), "trace": traceback.format_exc(), "error_type": type(e).__name__, '
    '"stack": traceback.format_list(traceback.extract_tb(e.__traceback__)[1:])}'
)
_STARTED = """    except Exception as e:
        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}"""
# The text carries the name across ministack's own exception, which keeps nothing else.
_STARTED_WITH_CLASS = """    except Exception as e:
        _kind = "Runtime.ImportModuleError" if isinstance(e, ImportError) else type(e).__name__
        if isinstance(e, AttributeError) and "mod" in dir() and not hasattr(mod, handler_name):
            _kind = "Runtime.HandlerNotFound"
        _real_stdout.write(json.dumps({"status": "error", "error": _kind + "|" + str(e)}"""
_INIT_FAILED = "Worker init failed: "


class WorkerScriptError(Exception):
    """ministack's worker script is not what this code was written for."""


def with_error_class(script: str) -> str:
    """ministack's Python worker script, changed so that it reports the class of an exception.

    Raises WorkerScriptError where the script is not the expected one.
    """
    for before, after in ((_RAISED, _RAISED_WITH_CLASS), (_STARTED, _STARTED_WITH_CLASS)):
        if script.count(before) != 1:
            raise WorkerScriptError(f"ministack's worker script has no line with {before!r}")
        script = script.replace(before, after)
    return script


def telling_class(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """ministack's `Worker.invoke`; what the worker reported is kept for the invocation's answer."""

    def run(*arguments: Any, **named: Any) -> dict[str, Any]:
        answer = invoke(*arguments, **named)
        _REPORTED.set(answer)
        return answer

    return run


def named_by_class(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """ministack's `_execute_function_warm(func, event, request_id)`; a failed answer in AWS's form."""

    def run(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        _REPORTED.set(None)
        answer = execute(function, event, request_id)
        if not answer.get("error") or answer.get("throttle"):
            return answer
        body = error_body(
            reported=_REPORTED.get() or {}, message=answer["body"]["errorMessage"], request_id=request_id
        )
        return {**answer, "body": body or answer["body"]}

    return run


def error_body(*, reported: dict[str, Any], message: str, request_id: str) -> dict[str, Any] | None:
    """The payload that Lambda answers for an exception; None where ministack's own payload is right."""
    if "error_type" in reported:
        return {
            "errorMessage": message,
            "errorType": reported["error_type"],
            "requestId": request_id,
            "stackTrace": reported.get("stack", []),
        }
    if message.startswith(_INIT_FAILED) and "|" in message:
        kind, text = message.removeprefix(_INIT_FAILED).split("|", 1)
        return {"errorMessage": text, "errorType": kind, "requestId": request_id, "stackTrace": []}
    if message == "Worker process died":
        text = f"RequestId: {request_id} Error: Runtime exited with error"
        return {"errorMessage": text, "errorType": "Runtime.ExitError"}
    return None
