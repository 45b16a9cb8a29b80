"""State machines as the tests of templates look at them."""

import json
from collections.abc import Iterator
from typing import Any

from aws_cdk.assertions import Template

State = dict[str, Any]
Templates = dict[str, dict[str, Template]]  # stage -> part -> its template
MACHINES = {
    "pipeline": "training",
    "pipeline-stop": "training",
    "release": "serving",
    "recount": "recount",
    "recount-stop": "recount",
}
"""The part that holds a state machine, by the last words of the machine's name."""


def machine_of(templates: Templates, stage: str, name: str) -> dict[str, Any]:
    """The definition of a stage's state machine, by its name in MACHINES."""
    return state_machine(templates[stage][MACHINES[name]], f"bincount-{stage}-{name}")


def states_of(templates: Templates, stage: str, name: str) -> dict[str, State]:
    """The states of a stage's state machine, by its name in MACHINES."""
    return machine_of(templates, stage, name)["States"]


def state_machine(template: Template, name: str) -> dict[str, Any]:
    """The state machine's definition; tokens in it read as their JSON text."""
    machines = template.find_resources(
        "AWS::StepFunctions::StateMachine", {"Properties": {"StateMachineName": name}}
    )
    (machine,) = machines.values()
    definition = machine["Properties"]["DefinitionString"]
    if isinstance(definition, dict):
        definition = "".join(
            part if isinstance(part, str) else json.dumps(part).replace('"', "'")
            for part in definition["Fn::Join"][1]
        )
    return json.loads(definition)


def main_path(states: dict[str, State], start: str, **turns: str) -> list[str]:
    """The names of the states from `start` to an end; a Choice goes to its default, or as `turns` say."""
    path: list[str] = []
    following: str | None = start
    while following:
        path.append(following)
        state = states[following]
        ways = [each["Next"] for each in state.get("Choices", [])]
        turn = turns.get(following)
        assert turn is None or turn in ways, f"{following} leads to {ways}"
        following = turn or state.get("Next") or state.get("Default")
    return path


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
