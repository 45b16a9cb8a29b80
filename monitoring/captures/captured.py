"""One line of SageMaker's data capture: the image that came, the answer that went, and the id of both."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self, cast

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What Captured.from_line raises for what is no captured line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """`image` is None where the line holds none, `answer` where it holds no count (an error, text)."""

    line: dict[str, Any]
    request_id: str
    time: str
    image: bytes | None
    content_type: str
    answer: dict[str, Any] | None

    @classmethod
    def from_line(cls, text: bytes) -> Self:
        """A line of a `.jsonl` below capture/. Raises one of UNREADABLE where it is none."""
        line: dict[str, Any] = json.loads(text)
        about: dict[str, Any] = line["eventMetadata"]
        data: dict[str, Any] = line["captureData"]
        given: dict[str, Any] = data.get("endpointInput") or {}
        answer = _answer(data.get("endpointOutput") or {})
        # A call straight to the endpoint may have no inference id: the answer then has the server's own.
        own = answer["request_id"] if answer else about["eventId"]
        return cls(
            line=line,
            request_id=str(about.get("inferenceId") or own),
            time=str(about["inferenceTime"]),
            image=_image(given),
            content_type=str(given.get("observedContentType") or "image/jpeg"),
            answer=answer,
        )

    @property
    def wants_review(self) -> bool:
        """Whether the answer asked for a person."""
        return bool(self.answer and self.answer["review"])

    def without_image(self) -> bytes:
        """The line, its endpointInput left out."""
        data = {name: part for name, part in self.line["captureData"].items() if name != "endpointInput"}
        return json.dumps({**self.line, "captureData": data}).encode() + b"\n"


def place_of(request_id: str) -> float:
    """Where an answer lies from 0 to 1, by its id's hash: a sample of a share is what lies below it."""
    return int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:8], "big") / 2**64


def is_sampled(request_id: str, *, share: float) -> bool:
    """Whether an answer is among a sample of this share: the same at every look, whatever the order."""
    return place_of(request_id) < share


def _image(given: dict[str, Any]) -> bytes | None:
    if not given.get("data"):
        return None
    try:
        return base64.b64decode(given["data"], validate=True) if given["encoding"] == "BASE64" else None
    except binascii.Error as error:
        raise ValueError("endpointInput is no BASE64") from error


def _answer(given: dict[str, Any]) -> dict[str, Any] | None:
    """The count's JSON; None for an error, and for a bare number (Accept: text/plain)."""
    text = given.get("data")
    if not isinstance(text, str):
        return None
    try:
        raw = base64.b64decode(text, validate=True) if given.get("encoding") == "BASE64" else text.encode()
        document: Any = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    members = cast("dict[str, Any]", document)
    return members if all(name in members for name in ("count", "review", "request_id")) else None
