"""State machines as the tests of templates look at them."""

from collections.abc import Iterator
from typing import Any

State = dict[str, Any]


def job_states(state: State) -> dict[str, State]:
    """The states inside a job's state (infra/shared/sagemaker_job.py)."""
    (branch,) = state["Branches"]
    return branch["States"]


def job_request(state: State) -> dict[str, Any]:
    """What such a state sends to SageMaker."""
    (create,) = [each for name, each in job_states(state).items() if name.startswith("Create")]
    return create["Arguments"]


def every_state(machine: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Name and state of all states, those inside maps and branches too."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in [
            *state.get("Branches", []),
            *[state[key] for key in ("ItemProcessor",) if key in state],
        ]:
            yield from every_state(inner)
