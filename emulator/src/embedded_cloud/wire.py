"""AWS's wire formats for the services that the embedded cloud adds."""

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from embedded_cloud.errors import AwsError
from embedded_cloud.sagemaker.runtime import Response

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Invoke = Callable[[str, Mapping[str, str], bytes], Response]
Handler = Callable[..., Any]
_LOG = logging.getLogger("embedded_cloud.wire")
_INVOCATIONS = re.compile(r"/endpoints/([^/]+)/invocations")
_JSON = "application/x-amz-json-1.1"


def json_handler(call: Call) -> Handler:
    """A ministack handler for a JSON 1.1 service; the operation is in X-Amz-Target."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        return await asyncio.to_thread(_answer, call, operation, body)

    return handle


def runtime_handler(invoke: Invoke) -> Handler:
    """A ministack handler for `POST /endpoints/<name>/invocations`."""

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        match = _INVOCATIONS.fullmatch(path)
        if not match or method != "POST":
            return error_response(AwsError("UnknownOperationException", f"{method} {path} is unknown."))
        return await asyncio.to_thread(_invoke, invoke, match.group(1), headers, body)

    return handle


def json_door(handle: Handler, check: Callable[[str, bytes], None]) -> Handler:
    """A JSON service that is asked only with what `check(operation, body)` lets through (or AwsError)."""

    async def run(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            if operation:
                check(operation, body)
        except AwsError as error:
            return error_response(error)
        return await handle(method, path, headers, body, query)

    return run


def query_door(handle: Handler, check: Callable[[Mapping[str, str]], None]) -> Handler:
    """A query-protocol service that is asked only with what `check` lets through (it raises AwsError)."""

    async def run(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        try:
            check(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        except AwsError as error:
            return query_error_response(error)
        return await handle(method, path, headers, body, query)

    return run


def checked(operation: Callable[[Any], Any], check: Callable[[Any], None]) -> Callable[[Any], Any]:
    """The operation of one request, with an error response where `check(request)` raises AwsError."""

    def run(request: Any) -> Any:
        try:
            check(request)
        except AwsError as error:
            return error_response(error)
        return operation(request)

    return run


def query_error_response(error: AwsError) -> Response:
    """An error in the form of EC2's query protocol."""
    code, message = escape(error.code), escape(error.message)
    content = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        f"<RequestID>{uuid.uuid4()}</RequestID></Response>"
    )
    return error.status, {"Content-Type": "text/xml"}, content.encode()


def error_response(error: AwsError) -> Response:
    """An error in the form that botocore reads."""
    content = json.dumps({"__type": error.code, "message": error.message}).encode()
    return error.status, {"Content-Type": _JSON, "x-amzn-errortype": error.code}, content


def _answer(call: Call, operation: str, body: bytes) -> Response:
    try:
        request = json.loads(body or b"{}")
        return 200, {"Content-Type": _JSON}, json.dumps(call(operation, request)).encode()
    except json.JSONDecodeError as error:
        return error_response(AwsError("SerializationException", f"The request is not JSON: {error}"))
    except AwsError as error:
        return error_response(error)
    except Exception:
        _LOG.exception("%s", operation)
        return error_response(
            AwsError("InternalFailure", "The embedded cloud failed; see its log.", status=500)
        )


def _invoke(invoke: Invoke, name: str, headers: dict[str, str], body: bytes) -> Response:
    try:
        return invoke(name, headers, body)
    except AwsError as error:
        return error_response(error)
