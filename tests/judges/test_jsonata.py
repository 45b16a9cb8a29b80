"""The reference implementation evaluates as Step Functions does, and the recordings are whole."""

from typing import Any

import pytest

from tests.judges.expressions import expression_verdicts
from tests.judges.jsonata import evaluated
from tests.judges.unrecorded_places import unreached


def answer(expression: str, **variables: Any) -> dict[str, Any]:
    states = {"input": {"list": [1, 2, 3]}, "context": {"Execution": {"Id": "one"}}}
    (found,) = evaluated([{"expression": expression, "states": states, "variables": variables}])
    return found


# The first five are the examples of AWS's page (its name is in evaluate.mjs).
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$partition([1,2,3,4], 4)", [[1, 2, 3, 4]]),
        ("$range(0, 10, 2)", [0, 2, 4, 6, 8, 10]),
        ("$hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ('$parse(\'{"foo": "bar"}\').foo', "bar"),
        ("$random() < 1", True),
        ("$length($uuid())", 36),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$states.input.list[1] & $name", "2bin"),
        ("$none", None),
    ],
)
def test_it_knows_what_step_functions_adds(expression: str, value: Any) -> None:
    assert answer(expression, name="bin", none=None) == {"value": value}


@pytest.mark.parametrize(
    "expression",
    [
        "$eval('1')",
        "$states.input.nowhere",
        "$nobody",
        "list[0]",
        "$number('x')",
        "$partition([1], 0)",
        "1 +",
    ],
)
def test_what_fails_an_execution_fails_here(expression: str) -> None:
    assert "fault" in answer(expression)


def test_a_new_expression_asks_for_a_new_recording() -> None:
    state = {"Type": "Pass", "Output": "{% $states.input.new %}", "End": True}
    verdicts, _ = expression_verdicts("release", {"States": {"New": state}})
    assert "make recordings" in verdicts[0].fault


def test_recordings_reach_every_expression() -> None:
    assert unreached() == set()
