"""The Lambda function behind POST /labels: one label a call."""

import base64
import binascii
import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from monitoring.labels.body import MOST_BYTES, BadLabel, Label, read_label
from monitoring.labels.record import LabelEvent, moment_after
from monitoring.labels.store import LabelStore, store_of_environment

log = logging.getLogger()
_MOST_WORDS = 500  # docs/schemas/error.schema.json


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """API Gateway's proxy event to its proxy response; the error responses are those of the API."""
    call = str(event["requestContext"]["requestId"])
    try:
        body = _body(event)
        if len(body) > MOST_BYTES:
            words = f"a label has at most {MOST_BYTES} bytes, got {len(body)}: shorten the note"
            return _error(413, "body_too_large", words, call)
        label = read_label(_text(body))
        if os.environ["CAPTURE_PERCENT"] == "0":
            words = (
                "this stage keeps no answers (its setting capture.percent is 0), so that no label can be "
                "joined to one: nothing was stored"
            )
            return _error(404, "unknown_request", words, call)
        return _answer(200, store(label, call=call, labels=store_of_environment()))
    except BadLabel as error:
        return _error(422, "bad_label", str(error), call)
    except (BotoCoreError, ClientError):
        log.exception("label %s was not stored", call)
        words = "the label may not have been stored: send it again, which does no harm"
        return _error(503, "upstream_failed", words, call, retry_after=1)


def store(label: Label, *, call: str, labels: LabelStore) -> dict[str, Any]:
    """Stores `label`; the body of the response.

    Where the answer's last label says the same, nothing is stored and the response is the one that it had: a
    call may be sent again.

    `state` is `pending`: captured answers arrive in the bucket minutes later and lie there by hour, so
    whether there is one of this id is found in the night that joins them (docs/live-accuracy.md).
    """
    last = labels.newest(label.request_id)
    if last is not None and last.label == label:
        stored = last
    else:
        stored = LabelEvent(
            label=label,
            previous=None if last is None else last.label.count,
            labelled_at=moment_after(last, now=datetime.now(UTC)),
            call=call,
        )
        labels.put(stored)
    return {
        "request_id": label.request_id,
        "count": label.count,
        "previous": stored.previous,
        "labelled_at": stored.time,
        "state": "pending",
    }


def _body(event: dict[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", errors="surrogatepass")
    try:
        return base64.b64decode(body)
    except binascii.Error as error:
        raise BadLabel("the body could not be read: send JSON as application/json") from error


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadLabel(f"the body is not UTF-8 ({error.reason}): send JSON as application/json") from error


def _error(
    status: int, code: str, message: str, call: str, *, retry_after: int | None = None
) -> dict[str, Any]:
    if len(message) > _MOST_WORDS:
        message = f"{message[: _MOST_WORDS - 1]}…"
    error: dict[str, Any] = {"code": code, "message": message, "request_id": call}
    if retry_after is not None:
        error["retry_after"] = retry_after
    return _answer(status, {"error": error})


def _answer(status: int, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "isBase64Encoded": False,
        "body": json.dumps(document),
    }
