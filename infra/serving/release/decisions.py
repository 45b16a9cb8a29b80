"""How the release asks the function `release_step` what to do next, and goes there."""

from typing import Any

from infra.shared.state_language import State, choice, lambda_fault, task


def or_as_it_was(name: str) -> str:
    """What the function answers for that variable, else what it was."""
    return f"{{% $exists($states.result.Payload.{name}) ? $states.result.Payload.{name} : ${name} %}}"


ANSWER = {
    "answer": "{% $states.result.Payload %}",
    "end": or_as_it_was("end"),
    "reason": or_as_it_was("reason"),
}


def variables(*names: str) -> dict[str, str]:
    """Members of the function's event: the variables of these names."""
    return {name: f"{{% ${name} %}}" for name in names}


def decide(
    partition: str, function: str, step: str, facts: dict[str, Any], *, next_state: str, **fields: Any
) -> State:
    """The function's decision, into the variables `answer`, and where it has them `end` and `reason`."""
    return task(
        f"arn:{partition}:states:::lambda:invoke",
        {
            "FunctionName": function,
            "Payload": {"step": step, **variables("me"), "input": "{% $given %}", **facts},
        },
        Retry=lambda_fault("States.TaskFailed", attempts=4),
        **{"Assign": ANSWER, **fields},
        next_state=next_state,
    )


def go(**ways: str) -> State:
    """The state that belongs to the decision; `Failed` for any other, which says why in `end`."""
    rules = [(f"$answer.decision = '{word.replace('_', ' ')}'", state) for word, state in ways.items()]
    return choice(*rules, otherwise="Failed")
