"""A Parallel state in JSONata: what goes in, what comes out, and what a Catch sees."""

from typing import Any

import pytest
from embedded_cloud.ministack_hooks.parts import sfn
from embedded_cloud.stepfunctions.parallel import in_jsonata

State = dict[str, Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a Parallel state `Both` of one branch, on an input; its output, the variables, the next state."""
    monkeypatch.setattr(sfn, "_run_parallel_branches", in_jsonata(sfn._run_parallel_branches))

    def of(inner: State, **fields: Any) -> tuple[Any, dict[str, Any], str | None]:
        context: dict[str, Any] = {"QueryLanguage": "JSONata", "State": {"Name": "Both"}, "variables": {}}
        branch = {"StartAt": "Inner", "States": {"Inner": inner}}
        state = {"Type": "Parallel", "Branches": [branch], "End": True, **fields}
        output, following = sfn._execute_parallel(state, {"n": 1}, {"events": []}, context)
        return output, context["variables"], following

    return of


def test_arguments_output_and_assign_are_expressions(run: Any) -> None:
    inner = {"Type": "Pass", "Output": "{% $states.input + 1 %}", "End": True}
    output, variables, _ = run(
        inner,
        Arguments="{% $states.input.n * 10 %}",
        Output="{% $merge([$states.input, {'sum': $states.result[0]}]) %}",
        Assign={"sums": "{% $states.result %}"},
    )
    assert output == {"n": 1, "sum": 11}
    assert variables == {"sums": [11]}


def test_without_them_it_passes_input_and_results(run: Any) -> None:
    inner = {"Type": "Pass", "Output": "{% $states.input.n %}", "End": True}
    assert run(inner)[:2] == ([1], {})


def test_a_catch_is_of_the_state_and_not_of_its_branch(run: Any) -> None:
    text = "{% $states.context.State.Name & ': ' & $states.errorOutput.Error & $states.input.n %}"
    inner = {"Type": "Fail", "Error": "Bad", "Cause": "{% 'it is ' & $states.context.State.Name %}"}
    output, _, following = run(
        inner, Catch=[{"ErrorEquals": ["States.ALL"], "Output": text, "Next": "After"}]
    )
    assert (output, following) == ("Both: Bad1", "After")
