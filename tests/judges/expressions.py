"""Every JSONata expression of a state machine, evaluated by the reference implementation on recorded inputs.

What it gives must be what the embedded cloud gave, and whole arguments must be what AWS's API takes.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.judges.aws_tasks import call_of, incomplete, states_of, task_verdicts
from tests.judges.expression_places import Place, filled, places
from tests.judges.jsonata import evaluated
from tests.judges.recordings import Moment, moments
from tests.judges.verdicts import Verdict

_BY_CHANCE = re.compile(r"\$(millis|now|random|uuid)\(")
Asked = tuple[Place, Moment]


class Requests(NamedTuple):
    """How many requests were whole once their expressions were evaluated, and what is said of them."""

    count: int
    verdicts: list[Verdict]


def expression_verdicts(machine: str, definition: Mapping[str, Any]) -> tuple[list[Verdict], Requests]:
    """Of each expression of a definition, and of each request of its tasks.

    `machine` is the name without system and stage.
    """
    every = list(places(definition))
    recorded = moments(machine)
    asked = [(place, moment) for place in every for moment in recorded if fits(place, moment)]
    answers = _answers(asked)
    reached = {place: "" for place, _ in asked}
    faults = {place: _unrecorded(place) for place in every if place not in reached} | reached
    values: dict[tuple[int, str], Any] = {}
    for (place, moment), answer in zip(asked, answers, strict=True):
        faults[place] = faults[place] or _fault(place, moment, answer)
        values[id(moment), place.text] = answer.get("value")
    verdicts = [Verdict(_where(place), fault) for place, fault in faults.items()]
    return verdicts, _requests(definition, asked, values)


_KNOWN: dict[tuple[str, int], dict[str, Any]] = {}


def _answers(asked: list[Asked]) -> list[dict[str, Any]]:
    """What the reference implementation says of each; of what another combination had, what it said then."""
    new = {(place.text, id(moment)): moment for place, moment in asked}
    new = {key: moment for key, moment in new.items() if key not in _KNOWN}
    questions = [
        {"expression": text, "states": moment.states, "variables": moment.variables}
        for (text, _), moment in new.items()
    ]
    _KNOWN.update(zip(new, evaluated(questions), strict=True))
    return [_KNOWN[place.text, id(moment)] for place, moment in asked]


def _unrecorded(place: Place) -> str:
    where = "let a test of tests/infra/test_machine_*.py walk there, then make recordings"
    return f"{place.text!r} was evaluated in no recording: {where}"


def fits(place: Place, moment: Moment) -> bool:
    """Whether the expression can be evaluated on what was recorded then."""
    if place.state != moment.state or (place.is_condition and place.text not in moment.values):
        return False
    return moment.kind == place.kind or (
        place.kind == "entry" and moment.kind == "result" and place.keys[0] == "Assign"
    )


def _fault(place: Place, moment: Moment, answer: dict[str, Any]) -> str:
    if "fault" in answer:
        return f"{place.text!r} fails: {answer['fault']}"
    expected = moment.values.get(place.text, answer["value"])
    if expected != answer["value"] and not _BY_CHANCE.search(place.text):
        return f"{place.text!r} gives {answer['value']!r} on AWS, the embedded cloud gave {expected!r}"
    return ""


def _requests(
    definition: Mapping[str, Any], asked: list[Asked], values: Mapping[tuple[int, str], Any]
) -> Requests:
    """What tasks send to AWS: what is whole as it stands, and the rest at each moment recorded of it."""
    tasks = {name: state for name, state in states_of(definition) if call_of(state.get("Resource"))}
    arguments = {id(moment): moment for place, moment in asked if place.keys[0] == "Arguments"}
    of_place = {place.state for place in places(definition) if place.keys[0] == "Arguments"}
    sent = [(name, state.get("Arguments", {})) for name, state in tasks.items() if name not in of_place]
    for key, moment in arguments.items():
        if moment.state in tasks:
            mine = {text: value for (which, text), value in values.items() if which == key}
            sent.append((moment.state, filled(tasks[moment.state]["Arguments"], mine)))
    verdicts: list[Verdict] = []
    for name, arguments in sent:
        verdicts += task_verdicts(name, tasks[name], arguments)
        verdicts += [Verdict(name, line) for line in incomplete(tasks[name], arguments)]
    return Requests(len(sent), verdicts)


def _where(place: Place) -> str:
    return f"{place.state}.{'.'.join(map(str, place.keys))}"
