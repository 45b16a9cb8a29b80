"""What no recording reaches, of all that the stages deploy, and the settings that build what they do not."""

from collections.abc import Iterator

from tests.judges.combinations import EVERYTHING, STAGES, Combination, assembly
from tests.judges.expression_places import Place, places
from tests.judges.expressions import fits
from tests.judges.judges import machine_of
from tests.judges.recordings import moments


def every_place() -> Iterator[tuple[str, Place]]:
    """The expressions of all state machines, with the machine's name without system and stage."""
    for combination in (*(Combination(stage, stage) for stage in STAGES), *EVERYTHING):
        for stack in assembly(combination).values():
            for name, definition in stack.machines.items():
                for place in places(definition):
                    yield machine_of(name), place


def unreached() -> set[tuple[str, str, str]]:
    """(machine, state, kind of moment)."""
    return {
        (machine, place.state, place.kind)
        for machine, place in every_place()
        if not any(fits(place, moment) for moment in moments(machine))
    }
