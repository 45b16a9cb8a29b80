"""What comes beside the image: what is asked, the request's id, and what an answer says in a header."""

import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bincount_core.limits import MAX_EXPECTED
from inference.http.errors import RequestError
from inference.model.answer import Answer, Verification

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_NAME = "expected-count"
_EXPLAIN = "explain"
# What people write for it, without -, _, . and spaces: expected, expect, x-expected-count, expected_quantity.
_NEARLY = re.compile(r"(x|bincount)?expect(s|ed)?(objects?|items?|counts?|num(ber)?|quantity|qty|amount)*\d*")
_NEARLY_EXPLAIN = re.compile(r"(x|bincount)?expla(in(s|ed|ing)?|nations?)")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:/+@#|-]{8,}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)
_SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks beside the count: whether so many are there, and where the model looked."""

    expected_count: int | None = None
    explain: bool = False


def read_attributes(attributes: str | None) -> Asked:
    """The number after `expected-count=` (or a bare number) and `explain=1` in SageMaker's CustomAttributes.

    Attributes are separated by commas or semicolons. Those with other names are left to others, and so are
    words of 8 characters or more: another system's trace id. Names that are nearly ours, and shorter words,
    which can only be meant as a number (docs/decisions/0035), are not.
    Raises RequestError 422 where the number is not a whole one from 0 to MAX_EXPECTED, `explain` is not 0 or
    1, either is given twice, or its name is misspelt.
    """
    found: list[str] = []
    wishes: list[str] = []
    for piece in re.split("[,;]", attributes or ""):
        name, equals, value = (part.strip() for part in piece.partition("="))
        if equals and name.lower() == _NAME:
            found.append(value)
        elif equals and name.lower() == _EXPLAIN:
            wishes.append(value)
        elif _NEARLY_EXPLAIN.fullmatch(_plain(name)):
            raise _bad_explain(f"{name}{equals}{value}")
        elif _is_nearly_ours(name):
            raise _bad_count(f"{name}{equals}{value}")
        elif not equals and name and (not _IDENTIFIER.fullmatch(name) or _NUMBER.fullmatch(name)):
            found.append(name)
    if len(found) > 1 or (found and not _COUNT.fullmatch(found[0])):
        raise _bad_count(", ".join(found))
    if len(wishes) > 1 or (wishes and wishes[0] not in ("0", "1")):
        raise _bad_explain(", ".join(wishes))
    return Asked(int(found[0]) if found else None, explain=wishes == ["1"])


def reject_query(query: bytes) -> None:
    """Raise RequestError 422 where the query names either: SageMaker has no query to read."""
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ():
        came = f"?{name}={value} (the server takes it in {CUSTOM_ATTRIBUTES})"
        if _is_nearly_ours(name):
            raise _bad_count(came)
        if _NEARLY_EXPLAIN.fullmatch(_plain(name)):
            raise _bad_explain(came)


def answer_attributes(answer: Answer, verification: Verification | None) -> str:
    """What a bare number does not say, for the answer's own CustomAttributes: `review=true,at-least=false`.

    With an expected count also `,verdict=match`.
    """
    said = f"review={str(answer.review).lower()},at-least={str(answer.at_least).lower()}"
    return said if verification is None else f"{said},verdict={verification.verdict}"


def _is_nearly_ours(name: str) -> bool:
    return _NEARLY.fullmatch(_plain(name)) is not None


def _plain(name: str) -> str:
    return re.sub("[-_. ]", "", name.partition(":")[0].lower())


def _bad_count(came: str) -> RequestError:
    return RequestError(
        422,
        "bad_expected_count",
        f"expected one whole number from 0 to {MAX_EXPECTED}, as in {_NAME}=3, got {came[:100]!r}",
    )


def _bad_explain(came: str) -> RequestError:
    message = f"expected {_EXPLAIN}=1, or {_EXPLAIN}=0 or nothing, once, got {came[:100]!r}"
    return RequestError(422, "bad_explain", message)


def request_id(inference_id: str | None) -> str:
    """The caller's id where it is 1 to 64 safe characters, else a fresh one."""
    if inference_id is not None and _SAFE_ID.fullmatch(inference_id):
        return inference_id
    return uuid.uuid4().hex
