"""Pieces of Amazon States Language (JSONata) that the release's states are made of."""

from typing import Any

from infra.retries import any_fault

State = dict[str, Any]


def task(resource: str, arguments: dict[str, Any], *, next_state: str, **fields: Any) -> State:
    """A task that is tried again on any fault; `fields` are the state's other members (capitalised).

    An empty `Retry` among them stands for none.
    """
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments, "Retry": any_fault(), **fields}
    return {name: value for name, value in state.items() if value != []} | {"Next": next_state}


def choice(*rules: tuple[str, str], otherwise: str) -> State:
    """The first rule (condition, next state) that holds, else `otherwise`."""
    choices = [{"Condition": f"{{% {condition} %}}", "Next": following} for condition, following in rules]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise}


def wait(seconds: int, *, next_state: str) -> State:
    """A pause."""
    return {"Type": "Wait", "Seconds": seconds, "Next": next_state}


def end(**output: str) -> State:
    """The end of a successful execution, with this output."""
    return {"Type": "Pass", "Output": output, "End": True}


def catch(next_state: str, *errors: str, assign: str = "") -> list[State]:
    """Go to `next_state` on these errors, or on any.

    What went wrong is the variable `assign`, or where none is named the output `{"Cause": …}`.
    """
    words = "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"
    told: State = {"Assign": {assign: words}} if assign else {"Output": {"Cause": words}}
    return [{"ErrorEquals": list(errors) or ["States.ALL"], **told, "Next": next_state}]
