"""The page server's own errors, in the form of the API's (docs/schemas/error.schema.json)."""

import json
import uuid

from starlette.responses import Response


class PageError(Exception):
    """A request that is answered with an error; `message` says what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """The answer."""
        return error_response(self.status, self.code, self.message)


def error_response(status: int, code: str, message: str) -> Response:
    """An error with a fresh request id."""
    error = {"code": code, "message": message[:500], "request_id": uuid.uuid4().hex}
    return json_response(status, json.dumps({"error": error}).encode())


def json_response(status: int, body: bytes, *, retry_after: str | None = None) -> Response:
    """JSON that no cache keeps."""
    headers = {"cache-control": "no-store"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    return Response(body, status_code=status, media_type="application/json", headers=headers)
