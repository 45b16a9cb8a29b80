"""The Retry and Catch fields of a state."""

from collections.abc import Iterator
from typing import Any

from embedded_cloud.stepfunctions.definition.fields import check_language, check_number
from embedded_cloud.stepfunctions.definition.findings import Finding, as_list, as_objects, schema

_LONGEST = 99_999_999  # the Amazon States Language's limit of MaxAttempts and IntervalSeconds
_LONGEST_DELAY = 31_622_400  # seconds, of MaxDelaySeconds, exclusive
_RETRY = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
_CATCH = {"ErrorEquals", "Next", "ResultPath", "Output", "Assign"}


def check_errors(state: dict[str, Any], *, language: str, path: str) -> Iterator[Finding]:
    """Yields what is wrong with a state's retriers and catchers."""
    for field, names in (("Retry", _RETRY), ("Catch", _CATCH)):
        rules = as_objects(state.get(field))
        if not isinstance(state.get(field, []), list):
            yield schema(f"Expected value of field '{field}' to be an array", f"{path}/{field}")
            continue
        for index, rule in enumerate(rules):
            where = f"{path}/{field}[{index}]"
            for name in rule:
                if name not in names | {"Comment"}:
                    yield schema(f"Field '{name}' is not supported", where)
            yield from _check_names(rule, last=index == len(rules) - 1, path=where)
            if field == "Retry":
                yield from _check_retrier(rule, where)
            else:
                yield from check_language(rule, language=language, path=where)
                if "Next" not in rule:
                    yield schema("Missing required field 'Next'", where)


def _check_names(rule: dict[str, Any], *, last: bool, path: str) -> Iterator[Finding]:
    names = as_list(rule.get("ErrorEquals"))
    if not names:
        yield schema("Expected value of field 'ErrorEquals' to be a non-empty array", path)
    elif "States.ALL" in names and len(names) > 1:
        yield schema("'States.ALL' must appear alone", f"{path}/ErrorEquals")
    elif "States.ALL" in names and not last:
        yield schema("'States.ALL' must be in the last element of the array", f"{path}/ErrorEquals")


def _check_retrier(rule: dict[str, Any], path: str) -> Iterator[Finding]:
    if "MaxAttempts" in rule:
        yield from check_number(rule["MaxAttempts"], name="MaxAttempts", path=path, least=0, most=_LONGEST)
    if "IntervalSeconds" in rule:
        yield from check_number(
            rule["IntervalSeconds"], name="IntervalSeconds", path=path, least=1, most=_LONGEST
        )
    if "BackoffRate" in rule:
        yield from check_number(
            rule["BackoffRate"], name="BackoffRate", path=path, least=1.0, most=None, whole=False
        )
    if "MaxDelaySeconds" in rule:
        interval = rule.get("IntervalSeconds", 1)
        least = interval + 1 if isinstance(interval, int) else 1
        yield from check_number(
            rule["MaxDelaySeconds"], name="MaxDelaySeconds", path=path, least=least, most=_LONGEST_DELAY - 1
        )
    if rule.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        yield schema("The value of field 'JitterStrategy' must be one of [FULL, NONE]", path)
