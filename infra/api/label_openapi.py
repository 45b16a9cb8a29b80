"""`POST /labels` in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

_REQUEST_ID = {"type": "string", "pattern": "^(?=.*[A-Za-z0-9])[A-Za-z0-9._:/+=@-]{1,64}$"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 999_999}
_OWN_ERRORS = {
    "404": "No label can be joined to an answer: the stage keeps none",
    "413": "The label is too large",
    "422": "The label is wrong; the message names every fault",
    "503": "The label may not have been stored: send it again",
}
_SHARED = ("403", "415", "429", "500", "502", "504")


def label_operation(errors: Mapping[str, Any]) -> dict[str, Any]:
    """The operation; `errors` are the count's error responses by status."""
    own = {status: {**errors["500"], "description": words} for status, words in _OWN_ERRORS.items()}
    return {
        "operationId": "label",
        "summary": "Say how many objects a person counted in an image that was answered",
        "description": "May be sent again: a label is stored once, and an answer's last one counts.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _body()}}},
        "responses": {
            "200": {
                "description": "The label is stored",
                "content": {"application/json": {"schema": _response()}},
            },
            **{status: errors[status] for status in _SHARED},
            **own,
        },
    }


def _body() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["request_id", "count"],
        "properties": {
            "request_id": {**_REQUEST_ID, "description": "Of the answer."},
            "count": {**_COUNT, "description": "So many objects were there."},
            "note": {"type": "string", "maxLength": 500},
            "by": {"type": "string", "maxLength": 100, "description": "Who counted."},
        },
    }


def _response() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["request_id", "count", "previous", "labelled_at", "state"],
        "properties": {
            "request_id": _REQUEST_ID,
            "count": _COUNT,
            "previous": {"type": ["integer", "null"], "description": "The count that was labelled before."},
            "labelled_at": {"type": "string", "format": "date-time"},
            "state": {
                "const": "pending",
                "description": "Whether there is a captured answer of this id is found when they are joined.",
            },
        },
    }
