"""The limits of AWS's own service models, as botocore ships them: patterns, choices, lengths, bounds."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import regex

from tests.judges.deploy_time_values import text_of
from tests.judges.verdicts import Verdict


@cache
def operation(service: str, name: str) -> Any:
    """botocore's model of an API call; it raises where AWS has no such call."""
    return _service(service).operation_model(name)


@cache
def _service(name: str) -> Any:
    return _session().get_service_model(name)


@cache
def _session() -> Any:
    return botocore.session.get_session()


def member(shape: Any, name: str) -> Any:
    """A structure's member, or None. botocore begins some with a small letter, CloudFormation none."""
    if shape is None or shape.type_name != "structure":
        return None
    return {known.lower(): each for known, each in shape.members.items()}.get(name.lower())


def text_verdicts(shape: Any, value: Any, path: str) -> Iterator[Verdict]:
    """Of a string. Of one that is not whole yet, only the length is known."""
    text, whole = text_of(value)
    limits = shape.metadata
    yield Verdict(path)
    if len(text) > limits.get("max", len(text)):
        yield Verdict(path, f"{len(text)} characters, AWS takes {limits['max']}: {text[:80]!r}")
    if not whole:
        return
    if len(text) < limits.get("min", 0):
        yield Verdict(path, f"{len(text)} characters, AWS takes {limits['min']} and more: {text!r}")
    if "enum" in limits and text not in limits["enum"]:
        yield Verdict(path, f"{text!r} is none of AWS's choices")
    if "pattern" in limits and not pattern(limits["pattern"]).fullmatch(text):
        yield Verdict(path, f"{text!r} does not match AWS's {limits['pattern']}")


def number_verdicts(shape: Any, value: Any, path: str) -> Iterator[Verdict]:
    """Of a number, also of one that is written as text."""
    yield Verdict(path)
    try:
        number = float(value)
    except (TypeError, ValueError):
        yield Verdict(path, f"a number is expected, got {value!r}")
        return
    if not shape.metadata.get("min", number) <= number <= shape.metadata.get("max", number):
        yield Verdict(path, f"{value} is outside of AWS's {shape.metadata}")


@cache
def pattern(java: str) -> regex.Pattern[str]:
    r"""A pattern of AWS's models. In Java `[\w-.]` holds a hyphen, and surrogates are points of their own."""
    text = java.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return regex.compile(regex.sub(r"(\\[wdsWDS]|\\p\{\w+\})-(?!\])", r"\1\\-", text))
