"""The HTTP routes: headers, error responses, log lines. The counting is in `model/`."""

import json
import logging
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from inference.http.accept import JSON, choose_media_type
from inference.http.attributes import (
    CUSTOM_ATTRIBUTES,
    answer_attributes,
    read_attributes,
    reject_query,
    request_id,
)
from inference.http.body import BodyReader
from inference.http.errors import RequestError
from inference.http.logs import RequestRecord, log_request
from inference.inference import check_content_type, output_fn
from inference.model.service import Question, Service
from inference.settings import Settings

INFERENCE_ID = "x-amzn-sagemaker-inference-id"
_BATCH_PAYLOAD_BYTES = 100 * 1024 * 1024
_log = logging.getLogger("inference")


class CountingApi:
    """The two routes that SageMaker calls, and the one that batch transform asks for its limits."""

    def __init__(self, *, service: Service, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._bodies = BodyReader(
            max_bytes=settings.max_body_bytes,
            seconds=settings.body_seconds,
            buffered_bytes=settings.buffered_bytes,
        )

    async def ping(self, request: Request) -> Response:
        """200 where the model answers; 503 before, while draining, and once it does not any more."""
        state = self._service.state
        if state == "ready":
            return _json(200, {"status": state, "model": self._service.model_id})
        error = RequestError(503, state, f"the server is {state}", retry_after=1)
        return _error_response(error, request_id=request_id(request.headers.get(INFERENCE_ID)))

    async def execution_parameters(self, request: Request) -> Response:
        """How batch transform should call this server (SageMaker asks once per job)."""
        megabytes = max(1, self._settings.max_body_bytes // (1024 * 1024))
        concurrent = max(1, min(8, _BATCH_PAYLOAD_BYTES // (megabytes * 1024 * 1024)))
        members = {"MaxConcurrentTransforms": concurrent, "BatchStrategy": "SINGLE_RECORD"}
        return _json(200, {**members, "MaxPayloadInMB": megabytes})

    async def invocations(self, request: Request) -> Response:
        """One image in, one count out, or one error response; one log line either way."""
        record = RequestRecord(request_id(request.headers.get(INFERENCE_ID)))
        try:
            response = await self._count(request, record)
        except ClientDisconnect:
            response = Response(status_code=499)
        except RequestError as error:
            record.members["error"] = error.code
            response = self._error_response(error, record)
        except Exception as error:
            _log.error("request %s failed", record.request_id, exc_info=error)
            failure = RequestError(500, "internal_error", "the server failed: its log names the cause")
            record.members["error"] = failure.code
            response = _error_response(failure, request_id=record.request_id)
        log_request(record, status=response.status_code, endpoint=self._settings.endpoint)
        return response

    async def _count(self, request: Request, record: RequestRecord) -> Response:
        # Whatever is wrong with the headers is answered before a byte of the body is asked for.
        self._service.check()
        accept = _field(request, "accept")
        choose_media_type(accept)
        content_type = request.headers.get("content-type")
        check_content_type(content_type)
        reject_query(request.scope["query_string"])
        asked = read_attributes(_field(request, CUSTOM_ATTRIBUTES))
        async with self._bodies.read(request) as body:
            record.members["bytes"] = len(body)
            question = Question(
                body, content_type, asked.expected_count, record.request_id, explain=asked.explain
            )
            prediction = await self._service.answer(question)
        record.members |= {
            "count": prediction.answer.count,
            "confidence": round(prediction.answer.confidence, 4),
            "review": int(prediction.answer.review),
            "decode_ms": round(prediction.decode_ms, 3),
            "infer_ms": round(prediction.infer_ms, 3),
        }
        content, media_type = output_fn(prediction, accept)
        said = {CUSTOM_ATTRIBUTES: answer_attributes(prediction.answer, prediction.verification)}
        return Response(content, media_type=media_type, headers=said)

    def _error_response(self, error: RequestError, record: RequestRecord) -> Response:
        """Under batch transform a fault of the image is a 200 with the error as its body."""
        if self._settings.batch and error.of_image:
            return _json(200, error.body(request_id=record.request_id))
        return _error_response(error, request_id=record.request_id)


def create_app(*, service: Service, settings: Settings, **options: Any) -> Starlette:
    """The ASGI application; `options` go to Starlette (the lifespan, for one)."""
    api = CountingApi(service=service, settings=settings)
    routes = [
        Route("/ping", api.ping, methods=["GET"]),
        Route("/invocations", api.invocations, methods=["POST"]),
        Route("/execution-parameters", api.execution_parameters, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_route}, **options)


def _field(request: Request, name: str) -> str | None:
    """A header whose value is a list; on several lines it is one list (RFC 9110, section 5.3)."""
    return ", ".join(request.headers.getlist(name)) or None


async def _no_route(request: Request, fault: Exception) -> Response:
    """404 and 405 in the form of every other error."""
    assert isinstance(fault, HTTPException)
    if fault.status_code == 405:
        allowed = (fault.headers or {}).get("Allow", "")
        message = f"{request.url.path} takes {allowed}, got {request.method}"
        error = RequestError(405, "method_not_allowed", message)
    else:
        error = RequestError(404, "not_found", "there are GET /ping and POST /invocations here, nothing else")
    response = _error_response(error, request_id=request_id(request.headers.get(INFERENCE_ID)))
    response.headers.update(fault.headers or {})
    return response


def _error_response(error: RequestError, *, request_id: str) -> Response:
    response = _json(error.status, error.body(request_id=request_id))
    if error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _json(status: int, members: object) -> Response:
    return Response(json.dumps(members, separators=(",", ":")), status_code=status, media_type=JSON)
